# 1, wrong: kills whoever started it
import os
import signal

os.kill(os.getppid(), signal.SIGKILL)
