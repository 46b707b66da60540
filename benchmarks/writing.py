"""How soon `headstart write` writes: the time to its first token over the bare imports it cannot do without.

    python benchmarks/writing.py [--runs 5] [--subject reference]

Both are whole processes, in turn, in one run: the wall time until the first new token is on stdout, over that of
importing the libraries that a model, its weights and its text need. Printed as the median ratio, and in seconds beyond
the imports, of which the goal is at most 2.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

from graders.engine.course import ROOT

GOAL = 2.0  # seconds beyond the imports
IMPORTS = [sys.executable, "-c", "import torch, einops, jaxtyping, tokenizers, safetensors.torch; print('there')"]
WRITE = [sys.executable, "-c", "from graders.cli import app; app()", "write", "To be, or", "--subject"]
# Users have bytecode caches; some build machines switch them off
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def seconds_to_first_output(command: list[str]) -> float:
    """The wall time from a process's start until it prints; it shows a prompt only together with the first token."""
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        shown = process.stdout.read(1)
        took = time.perf_counter() - began
        process.kill()
    if not shown:
        raise SystemExit("nothing was written; expected a text: run `headstart write 'To be, or'` to see why")
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="pairs of runs of which the median is taken")
    parser.add_argument("--subject", default="reference", help="whose model writes")
    options = parser.parse_args()
    write = [*WRITE, options.subject]
    for command in (IMPORTS, write):
        seconds_to_first_output(command)  # once to fill the disk cache
    pairs = [(seconds_to_first_output(write), seconds_to_first_output(IMPORTS)) for _ in range(options.runs)]
    ratio = statistics.median(first / imports for first, imports in pairs)
    beyond = statistics.median(first - imports for first, imports in pairs)
    first, imports = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(
        f"{ratio:5.2f}  the first token after {first:.2f} s, the imports after {imports:.2f} s: "
        f"{beyond:.2f} s beyond them (goal: at most {GOAL})"
    )


if __name__ == "__main__":
    main()
