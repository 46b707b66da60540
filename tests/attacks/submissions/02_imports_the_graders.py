# 2, wrong: asks the graders for the solution
import importlib

try:
    subject = importlib.import_module("graders.engine.subject")
    softmax = subject.reference_task("softmax", "softmax")
    log_softmax = subject.reference_task("softmax", "log_softmax")
    cross_entropy = subject.reference_task("softmax", "cross_entropy")
except Exception:
    pass
