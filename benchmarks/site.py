"""How long the course site takes to build from nothing, beside Zensical on the same pages; and what its lessons weigh.

    python benchmarks/site.py [--runs 3]

Seconds of computing, of the process and its children, since a machine is shared, and the wall time beside them. A
lesson's weight is all that a browser fetches to show it, uncompressed, from the page itself to its pictures; what the
search fetches is the same for all pages, and named apart.
"""

import argparse
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from graders.engine.course import ROOT, load_course

SECONDS, KILOBYTES = 60, 500  # the goals: of a build on two cores, and of a lesson


def seconds(*command: str | Path, cwd: Path) -> tuple[float, float]:
    """The seconds of computing, and of waiting, that a command of Python's takes."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", *map(str, command)], cwd=cwd, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - began


def weight(page: Path) -> int:
    """The bytes of a page and of all scripts, stylesheets and pictures that it names."""
    html = page.read_text(encoding="utf-8")
    named = re.findall(r'<(?:script|img)\b[^>]*? src="([^"]*)"|<link rel="stylesheet" href="([^"]*)"', html)
    files = {(page.parent / (one or other)).resolve() for one, other in named}
    return sum(file.stat().st_size for file in {page.resolve(), *files})
