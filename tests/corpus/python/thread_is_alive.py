# heals: Python <3.9
import threading
thread = threading.Thread(target=int)
thread.start()
thread.join()
print(thread.isAlive())
