"""The solved exercises. Each file reads on its own; start with `attention.py`."""
