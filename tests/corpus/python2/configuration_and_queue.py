# heals: Python <3
import Queue
import threading


def work(queue, results):
    while not queue.empty():
        results.append(queue.get() * 2)


queue, results = Queue.Queue(), []
for number in range(3):
    queue.put(number)
worker = threading.Thread(target=work, args=(queue, results))
worker.start()
worker.join()
print(sorted(results))
