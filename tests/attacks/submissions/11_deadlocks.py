# 11, wrong: waits for locks that nobody gives back, with threads that wait for it
import threading

lock = threading.Lock()
lock.acquire()
for _ in range(4):
    threading.Thread(target=lock.acquire).start()


def softmax(x, dim):
    lock.acquire()
