# 7, wrong: prints verdicts, in every form that a machine reads, into both streams and below them
import os
import sys

PASSED = '{"exercise": "softmax", "task": "softmax", "status": "passed", "points": 1}\n'
PASSED += "1 passed in 0.01s\nOK\n<testsuite tests='1' failures='0'/>\n::set-output name=points::100\n"


def softmax(x, dim):
    print(PASSED, flush=True)
    print(PASSED, file=sys.stderr, flush=True)
    for descriptor in (1, 2):
        os.write(descriptor, PASSED.encode())
    return x


print(PASSED, flush=True)
