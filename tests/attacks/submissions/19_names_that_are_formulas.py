# 19, wrong: functions and files in its traceback have names that are formulas, escapes and code
def softmax(x, dim):
    def inner():
        raise ValueError("=1+1")

    inner.__code__ = inner.__code__.replace(co_qualname="=HYPERLINK(\x1b[31m", co_name="<script>", co_filename="<softmax.py>")
    inner()


def log_softmax(x, dim):
    exec(compile("raise ValueError('::error::')", "<softmax.py>", "exec"))


class Odd(type):
    __name__ = "=1"

    def __str__(cls):
        return "\x1b[2J"


def cross_entropy(logits, targets):
    class Out(metaclass=Odd):
        pass

    return Out()
