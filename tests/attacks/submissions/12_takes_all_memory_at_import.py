# 12, wrong: takes all memory there is while it is imported, by tensors and by anonymous pages
import mmap

import torch

kept = []
while True:
    kept.append(torch.ones(2**24))
    pages = mmap.mmap(-1, 2**26)
    pages.write(b"x" * 2**26)
    kept.append(pages)
