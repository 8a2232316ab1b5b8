# heals: add simplejson
import multiprocessing
import sys


def work(queue):
    import simplejson
    queue.put(simplejson.loads("[1, 2]"))


if __name__ == "__main__":
    queue = multiprocessing.Queue()
    process = multiprocessing.Process(target=work, args=(queue,))
    process.start()
    process.join()
    if process.exitcode:
        sys.exit("the worker failed")
    print(queue.get())
