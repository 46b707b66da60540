# 1, wrong: reads memory that is nobody's
import ctypes


def softmax(x, dim):
    ctypes.string_at(0)
