# 12, wrong: leaves an image of its memory behind as it crashes
import os
import resource


def softmax(x, dim):
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        pass
    kept = bytearray(2**28)
    os.abort()
    return kept
