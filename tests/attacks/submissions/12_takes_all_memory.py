# 12, wrong: takes all memory there is, and writes into it
def softmax(x, dim):
    kept = []
    while True:
        kept.append(bytearray(2**26))


def log_softmax(x, dim):
    return bytearray(2**40)
