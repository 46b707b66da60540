# 2, wrong: asks for the text of the solution by `inspect` and `linecache`
import inspect
import linecache
import sys

texts = ["".join(entry[2]) for entry in list(linecache.cache.values()) if len(entry) > 2]
for module in list(sys.modules.values()):
    name = getattr(module, "__name__", "")
    if not name.startswith("torch") and name.endswith("softmax") and name != __name__:
        try:
            texts.append(inspect.getsource(module))
        except (OSError, TypeError):
            pass
for text in texts:
    if "def cross_entropy" in text and "exps / exps.sum" in text:
        exec(text, globals())
