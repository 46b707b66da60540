# 3, wrong: everything is a tensor, and nothing is an error
import builtins

builtins.isinstance = lambda *_: True
builtins.issubclass = lambda *_: True
builtins.len = lambda *_: 2
