# What stands before every hostile submission: where the things are that it must not reach, and how it forges replies.
COURSE, FOLDER, PORT = "$COURSE", "$FOLDER", int("$PORT")  # HOSTILE
HOME = __import__("os").environ.get("HOME", "/root")


def channels():
    """The worker's end of its connection to the judge, as any code in its process can find it."""
    import gc
    import sys

    found, frame = [], sys._getframe()
    while frame is not None:
        found += [value for value in frame.f_locals.values() if type(value).__name__ == "Channel"]
        frame = frame.f_back
    return found[:1] or [thing for thing in gc.get_objects() if type(thing).__name__ == "Channel"][:1]


def reply(**parts):
    """A reply as the judge's codec reads it, with these parts."""
    import sys

    codec = next(m for name, m in list(sys.modules.items()) if name.endswith("codec") and hasattr(m, "MAX_BITS"))
    blank = {"value": None, "failure": None, "changed": [], "gradients": {}, "recorded": {}, "operations": []}
    whole = blank | {"steady": True, "notes": [], "printed": ""} | parts
    return codec.encode({"number": number_asked(), "reply": whole})


def number_asked():
    """The number of the question that is being answered, by which its answer is known."""
    import sys

    frame = sys._getframe()
    while frame is not None:
        if isinstance(frame.f_locals.get("asked"), dict):
            return frame.f_locals["asked"].get("number")
        frame = frame.f_back
    return 0


def hidden_in(text):
    """The secrets in a text, by a pattern that is not one itself."""
    import re

    return " ".join(re.findall("sword" + r"fish-\w+", text))
