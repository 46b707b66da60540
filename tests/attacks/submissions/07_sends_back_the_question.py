# 7, wrong: sends the judge's own question back to it
import sys
import time


def softmax(x, dim):
    frame = sys._getframe()
    while frame is not None:
        message = frame.f_locals.get("message")
        if isinstance(message, (bytes, bytearray)):
            for channel in channels():
                channel.send(bytes(message))
        frame = frame.f_back
    time.sleep(60)
