"""What a token costs in the Explorer: milliseconds in headless Chromium, with the cache and without, and their ratio.

    python benchmarks/explorer.py [--tokens 32] [--pairs 5]

The embedded checkpoint, one thread of WebAssembly, as a reader's browser runs it. A text of `--tokens` tokens is read
whole, as without a cache, and its last token alone, after the cache of the others. The two take turns; printed are
medians over the runs of all pairs, wall time in the page, what crosses to the worker and back included. The goal is
300 ms a token each way. It needs Debian's Chromium: `apt-get install -y chromium`.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))  # how tests open a page

from built import served
from chromium import chromium
from explorer_site import SUB_PATH, build, ids, mini_docs, open_explorer

GOAL = 300  # milliseconds
RUNS = 8  # of each way in a pair
TEXT = "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n"
MEASURE = """(async (tokens, n) => {
  const { read } = headstart.model;
  const { cache } = await read([tokens.slice(0, -1)]);
  const ways = [() => read([tokens.slice(-1)], { cache }), () => read([tokens], { keepsCache: false })];
  const times = [[], []];
  for (let i = 0; i < n; i++) {
    for (const [way, run] of ways.entries()) {
      const began = performance.now();
      await run();
      times[way].push(performance.now() - began);
    }
  }
  return times;
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=32, help="length of the text")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of runs of which the median is taken")
    options = parser.parse_args()
    repeated = ids(TEXT) * (1 + options.tokens // len(ids(TEXT)))
    tokens = repeated[: options.tokens]
    with tempfile.TemporaryDirectory() as temporary, chromium() as browser:
        folder = Path(temporary)
        build(mini_docs(folder), folder / "root" / SUB_PATH)
        with served(folder / "root") as url:
            open_explorer(browser, f"{url}{SUB_PATH}/explorer/")
            browser.value(f"{MEASURE}({tokens}, 3)")  # both are warm
            pairs = [browser.value(f"{MEASURE}({tokens}, {RUNS})") for _ in range(options.pairs)]
    cached, whole = (statistics.median(time for pair in pairs for time in pair[way]) for way in (0, 1))
    ratio = statistics.median(statistics.median(b) / statistics.median(a) for a, b in pairs)
    print(
        f"{ratio:5.2f}  a token without the cache over one with it, {options.tokens} tokens: "
        f"{whole:.1f} ms over {cached:.1f} (goal: at most {GOAL} each)"
    )


if __name__ == "__main__":
    main()
