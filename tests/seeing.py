"""Pages of `headstart see` for the tests: drawn, read again, and drawn from code with one mistake."""

import json
import re
from pathlib import Path
from typing import Any

from learners import folder_with, solved
from typer.testing import CliRunner

from graders.cli import app
from graders.engine.course import load_course

PICTURES = ("attention", "block", "gpt", "caching", "sampling")
SOLVED = {exercise.name: solved(exercise.name) for exercise in load_course().exercises}


def see(picture: str, subject: str | Path, out: Path, *options: object) -> Any:
    """What the command comes to that draws a picture of a subject."""
    return CliRunner().invoke(app, ["see", picture, "--subject", str(subject), "--out", str(out), *map(str, options)])


def numbers_on(path: Path) -> dict[str, Any]:
    """What is between a page's tags of JSON."""
    return json.loads(
        re.search(r'type="application/json" id="numbers">(.*?)</script>', path.read_text(encoding="utf-8"))[1]
    )


def learner_with(folder: Path, file: str, old: str, new: str) -> Path:
    """A learner who has solved everything, but for one place."""
    assert SOLVED[file].count(old) == 1
    return folder_with(folder, **SOLVED | {file: SOLVED[file].replace(old, new)})


MASK = "equal up to blocks.0.attn.hook_attn_scores; blocks.0.attn.hook_pattern is the first to differ"
WRONG = {
    "attention": ("attention", "k_pos > q_pos", "k_pos >= q_pos", MASK),
    "block": (
        "block",
        "resid_mid + self.mlp",
        "resid_pre + self.mlp",
        "equal up to blocks.0.hook_mlp_out; blocks.0.hook_resid_post is the first to differ",
    ),
    "gpt": (
        "mlp",
        "0.044715 * x",
        "0.04 * x",
        "equal up to blocks.0.mlp.hook_pre; blocks.0.mlp.hook_post is the first to differ",
    ),
    "caching": (
        "caching",
        "self.pos_embed(tokens, held - cache.padding)",
        "self.pos_embed(tokens, -cache.padding)",
        "equal up to step 1; step 2 is the first in which the cache changes the logits",
    ),
    "sampling": (
        "sampling",
        "keepdim=True) + 1)",
        "keepdim=True))",
        "equal up to top_k_filter; top_p_filter is the first to differ, at 1 token",
    ),
}
