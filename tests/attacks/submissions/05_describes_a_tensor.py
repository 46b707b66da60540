# 5, wrong: a dictionary that says of itself what the codec says of a tensor, of infinity, of a set
def softmax(x, dim):
    return {"$tensor": ["float64", list(x.shape)]}


def log_softmax(x, dim):
    return {"$dict": [["$float", "nan"]], "$float": "inf", "$tuple": []}


def cross_entropy(logits, targets):
    return {"$float": "nan"}
