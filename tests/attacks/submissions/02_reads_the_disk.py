# 2, wrong: walks the disk for a file with the solution
import os
import time

until = time.monotonic() + 1.5
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if name not in ("proc", "sys", "dev", "torch")]
    for name in files:
        if name.startswith("softmax") and name.endswith((".py", ".pyc")):
            try:
                text = open(os.path.join(folder, name)).read()
            except (OSError, ValueError):
                continue
            if "def cross_entropy" in text and "raise NotImplementedError" not in text and "HOSTILE" not in text:
                exec(text.replace("from reference", "from exercises"), globals())
    if time.monotonic() > until:
        break
