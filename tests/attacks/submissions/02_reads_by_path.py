# 2, wrong: knows where the course lies, and reads the solution there: by path, through a link, and by way of /proc
import os

WAYS = [
    f"{COURSE}/reference/softmax.py",
    f"/proc/1/root{COURSE}/reference/softmax.py",
    f"/proc/self/root{COURSE}/reference/softmax.py",
    f"/proc/{os.getppid()}/root{COURSE}/reference/softmax.py",
    f"/proc/{os.getppid()}/cwd/reference/softmax.py",
    "../reference/softmax.py",
    "/proc/self/cwd/../reference/softmax.py",
]
try:
    os.symlink(f"{COURSE}/reference", "/tmp/link")
    WAYS.append("/tmp/link/softmax.py")
    os.link(f"{COURSE}/reference/softmax.py", "/tmp/hard.py")
    WAYS.append("/tmp/hard.py")
except OSError:
    pass
for way in WAYS:
    try:
        exec(open(way).read().replace("from reference", "from exercises"), globals())
        break
    except OSError:
        pass
