# 14, wrong: connects to services of the machine that it runs on, by every family of addresses
import socket

for family, address in (
    (socket.AF_INET, ("127.0.0.1", PORT)),
    (socket.AF_INET, ("0.0.0.0", PORT)),
    (socket.AF_INET, ("localhost", PORT)),
    (socket.AF_INET6, ("::1", PORT)),
    (socket.AF_INET6, ("::ffff:127.0.0.1", PORT)),
    (socket.AF_UNIX, f"{FOLDER}/socket"),
    (socket.AF_UNIX, f"\0{FOLDER}"),
):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            with socket.socket(family, kind) as connection:
                connection.settimeout(0.1)
                connection.connect(address)
                connection.send(b"here I am")
        except OSError:
            pass
