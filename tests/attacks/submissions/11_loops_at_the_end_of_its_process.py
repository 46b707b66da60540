# 11, wrong: ends its process, and loops as it ends
import atexit
import sys
import threading
import time


def loops():
    while True:
        time.sleep(1)


atexit.register(loops)
threading.Thread(target=loops).start()


def softmax(x, dim):
    sys.exit(0)
