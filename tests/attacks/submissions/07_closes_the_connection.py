# 7, wrong: closes the connection, and goes on
import time


def softmax(x, dim):
    for channel in channels():
        channel.end.shutdown(1)
        channel.close()
    time.sleep(60)
