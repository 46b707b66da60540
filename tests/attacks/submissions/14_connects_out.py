# 14, wrong: connects to the world, resolves names, listens
import socket
import urllib.request


def softmax(x, dim):
    reached = []
    for address in (("1.1.1.1", 53), ("8.8.8.8", 53), ("169.254.169.254", 80)):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as connection:
                connection.settimeout(0.1)
                if connection.connect_ex(address) == 0:
                    reached.append("reached the network")
    names = [name for _, name in socket.if_nameindex() if name != "lo"]
    if names:
        reached.append(f"reached the network {names}")
    try:
        urllib.request.urlopen("http://example.com", timeout=0.1)
        reached.append("reached the network")
    except OSError:
        pass
    raise RuntimeError(str(reached))
