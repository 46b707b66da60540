"""The pictures by name: a subject's code is run on a text, and what it did is drawn."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from graders.engine.subjects import make_transport
from graders.see.attention import see_attention
from graders.see.caching import see_caching
from graders.see.page import Picture, page
from graders.see.sampling import Filters, see_sampling
from graders.see.scene import Scene, Unfit, read_scene
from graders.see.stream import see_block, see_gpt
from graders.subject_code import Subject
from graders.weights.activations import TEXT
from graders.weights.checkpoint import load_checkpoint

__all__ = ["Unfit", "draw", "page"]

PICTURES: dict[str, Callable[[Scene], Picture]] = {
    "attention": see_attention,
    "block": see_block,
    "gpt": see_gpt,
    "caching": see_caching,
}


def draw(whose: Subject, name: str, text: str | None, command: str, **filters: Any) -> Picture:
    """The picture of this name, with `Filters` for that of sampling.

    Raises `CannotGoOn`, and `Unfit` for a text that cannot be drawn.
    """
    whose.check_files([name])
    see = PICTURES.get(name, partial(see_sampling, filters=Filters(**filters)))
    checkpoint = load_checkpoint()
    transport = make_transport(str(whose.folder), in_process=False)
    try:
        scene = read_scene(whose, transport, checkpoint, TEXT if text is None else text)
        drawn = see(scene)
    finally:
        transport.close()
    told = [("text", scene.text), ("code", f"{whose.name}/{name}.py"), ("weights", checkpoint.folder.name)]
    return replace(drawn, told=[*told, ("drawn by", command)])
