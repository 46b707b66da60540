# 1, wrong: loops, while a thread of its own ends the process
import os
import threading
import time


def softmax(x, dim):
    threading.Thread(target=lambda: (time.sleep(0.1), os._exit(0)), daemon=True).start()
    while True:
        pass
