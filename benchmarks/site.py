"""How long the course site takes to build from nothing, beside Zensical on the same pages; and what its lessons weigh.

    python benchmarks/site.py [--runs 3]

Needs `pip install -e '.[dev]'`. A lesson's weight is all that a browser fetches to show it: the page, scripts,
stylesheets and pictures, uncompressed. What the search fetches then is the same for all pages, and named apart. Web
servers compress both, `mkdocs serve` does not.
"""

import argparse
import gzip
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from graders.engine.course import ROOT, load_course

SECONDS, KILOBYTES = 60, 500  # the goals: of a build on two cores, and of a lesson
NAMED = re.compile(r'<(?:script|img)\b[^>]* src="([^"]+)"|<link rel="(?:stylesheet|icon)" href="([^"]+)"')


def seconds(*command: str | Path, cwd: Path) -> tuple[float, float]:
    """The seconds of computing, on all cores, and of waiting that a command of Python's takes."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", *map(str, command)], cwd=cwd, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - began


def needed(page: Path) -> set[Path]:
    """The files of a built site that a browser needs to show a page of it."""
    named = NAMED.findall(page.read_text(encoding="utf-8"))
    return {page.resolve(), *((page.parent / "".join(one)).resolve() for one in named)}


def of_the_search(site: Path) -> set[Path]:
    """The files that the search fetches once a page is shown, the same for all pages."""
    return {site / "search" / "search_index.json", *(site / "assets" / "javascripts" / "workers").glob("search.*.js")}


def weight(files: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in files)


def compressed(files: Iterable[Path]) -> int:
    """The bytes of files as a web server sends them."""
    return sum(len(gzip.compress(path.read_bytes())) for path in files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="pairs of builds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        computing, waited = seconds("graders.cli", "site", cwd=ROOT)
        print(f"headstart site: {computing:.1f} s of computing, {waited:.1f} s until it is there")
        shutil.copytree(ROOT / "docs", folder / "docs")
        shutil.copyfile(ROOT / "mkdocs.yml", folder / "mkdocs.yml")
        pairs = []
        for _ in range(options.runs):
            pairs.append((seconds("mkdocs", "build", "--strict", "--site-dir", "mkdocs", cwd=folder),))
            shutil.rmtree(folder / ".cache", ignore_errors=True)
            pairs[-1] += (seconds("zensical", "build", "--clean", cwd=folder),)
        for i, name in enumerate(("mkdocs", "zensical")):
            computing, waited = (statistics.median(pair[i][j] for pair in pairs) for j in (0, 1))
            goal = f" (goal: {SECONDS})" if name == "mkdocs" else ""
            print(f"{name} build: {computing:.1f} s of computing, {waited:.1f} s until it is there{goal}")
        ratios = sorted(ours[0] / theirs[0] for ours, theirs in pairs)
        print(
            f"mkdocs computes {statistics.median(ratios):.1f} times as long as zensical on the same pages "
            f"(median of {options.runs} pairs, {ratios[0]:.1f} to {ratios[-1]:.1f})"
        )
        _lessons(folder / "mkdocs")


def _lessons(site: Path) -> None:
    """What each lesson weighs, the heaviest first."""
    pages = {exercise.name: site / "exercises" / exercise.name / "index.html" for exercise in load_course().exercises}
    kilobytes = {name: weight(needed(page)) / 1000 for name, page in pages.items()}
    heaviest = max(kilobytes, key=lambda name: kilobytes[name])
    print(f"the heaviest lesson is {heaviest}, {kilobytes[heaviest]:.0f} kB (goal: {KILOBYTES})")
    print(", ".join(f"{name} {size:.0f}" for name, size in sorted(kilobytes.items(), key=lambda pair: -pair[1])))
    search = of_the_search(site)
    both = compressed(needed(pages[heaviest]) | search) / 1000
    print(f"its search: {weight(search) / 1000:.0f} kB; {heaviest} and its search, compressed: {both:.0f} kB")


if __name__ == "__main__":
    main()
