# 4, wrong: sets the variables that Python, pytest, hypothesis and the course read
import os

for name, value in {
    "PYTHONPATH": "/tmp",
    "PYTHONSTARTUP": "/tmp/start.py",
    "PYTEST_ADDOPTS": "--collect-only",
    "HYPOTHESIS_STORAGE_DIRECTORY": "/tmp",
    "LD_PRELOAD": "/tmp/evil.so",
    "HEADSTART_COHORT_SECRET": "0",
    "PATH": "/tmp",
    "OMP_NUM_THREADS": "100000",
}.items():
    os.environ[name] = value
