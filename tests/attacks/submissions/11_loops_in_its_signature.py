# 11, wrong: loops when its signature is asked for
class Task:
    @property
    def __signature__(self):
        while True:
            pass

    def __call__(self, x, dim):
        return x


softmax = Task()
