# 1, wrong: a timer ends its process a moment after it has answered
import os
import signal

signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
signal.setitimer(signal.ITIMER_REAL, 0.05)
