# 3, wrong: the language itself says yes
import builtins

builtins.all = builtins.any = builtins.callable = lambda *_: True
builtins.abs = lambda _: 0
builtins.AssertionError = builtins.ValueError = type("Nothing", (Warning,), {})
