# 13, wrong: children of children, in sessions of their own, which outlive it
import ctypes
import os
import subprocess
import sys
import time

ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)  # not to end with its parent
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for descriptor in range(64):
            try:
                os.close(descriptor)
            except OSError:
                pass
        time.sleep(3)
        open(FOLDER + "/executed", "w")
        time.sleep(1000)
    os._exit(0)
try:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"], start_new_session=True)
except OSError:
    pass


def softmax(x, dim):
    os._exit(0)
