# 19, wrong: prints and raises what a terminal, a browser, a spreadsheet and a workflow obey
EVIL = (
    "\x1b]0;owned\x07\x1b[2J\x1b[1;1H\x1b]8;;http://evil.example\x07click\x1b]8;;\x07\r\x08\x00\x9b31m\u202egpj\u2066"
    "<script>alert(1)</script><img src=x onerror=alert(1)> [a](javascript:alert(1)) | `x` ![](http://evil.example/x.png)\n"
    "=HYPERLINK(\"http://evil.example\",\"x\")\n@SUM(1)\n+1\n-1\n::error file=x::owned\n::set-output name=a::b\n##[error]x"
)


def softmax(x, dim):
    print(EVIL)
    raise type(EVIL.replace("\0", ""), (Exception,), {})(EVIL)


def log_softmax(x, dim):
    return {EVIL: EVIL, "=cmd|' /C calc'!A0": [EVIL]}


def cross_entropy(logits, targets):
    print(EVIL)
    return EVIL
