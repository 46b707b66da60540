# 5, wrong: numbers, lists and dictionaries whose methods lie
class Int(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


class Float(float):
    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return 0.0

    __rsub__ = __sub__
    __hash__ = float.__hash__


class Text(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


class Items(list):
    def __eq__(self, other):
        return True

    def __len__(self):
        return 0


def softmax(x, dim):
    return Float(1.0)


def log_softmax(x, dim):
    return Items([Int(1), Text("yes")])


def cross_entropy(logits, targets):
    return Int(1)
