"""Whether the files of the embedded checkpoint are the ones that were made: their SHA-256 sums. Imports no torch.

    python -m graders.weights.sums --write

Run it after `graders.weights.activations`, when the checkpoint was made anew.
"""

import hashlib
import sys
from pathlib import Path

EMBEDDED = Path(__file__).parent / "shakespeare"
SUMS = "SHA256SUMS"
FILES = ("activations.safetensors", "model.safetensors")


def wrong_files(folder: Path = EMBEDDED) -> list[str]:
    """The files that are missing or are not what was made, by name. Raises `OSError` when the sums cannot be read."""
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    wanted = {name: digest for digest, name in (line.split() for line in lines)}
    return [name for name in FILES if not (folder / name).is_file() or _sum(folder / name) != wanted.get(name)]


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        text = "".join(f"{_sum(EMBEDDED / name)}  {name}\n" for name in FILES)
        (EMBEDDED / SUMS).write_text(text, encoding="utf-8", newline="\n")
    print("wrong:", ", ".join(wrong_files()) or "none")
