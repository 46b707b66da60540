# 11, wrong: sleeps inside C without giving back the interpreter's lock
import ctypes


def softmax(x, dim):
    ctypes.PyDLL(None).sleep(1000)


def log_softmax(x, dim):
    ctypes.PyDLL(None).pause()
