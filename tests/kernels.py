"""Runs notebooks as Jupyter does, each in a kernel of its own, and reads what their cells show."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from learners import Run
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

SIDE_BY_SIDE = 2
COLOUR = re.compile(r"\x1b\[[\d;]*m")


def run_all(notebooks: Mapping[str, NotebookNode], folder: Path) -> dict[str, NotebookNode]:
    """Run notebooks that lie in a folder, a few side by side; an error in a cell does not stop them."""

    async def run_each() -> None:
        free = asyncio.Semaphore(SIDE_BY_SIDE)

        async def run(notebook: NotebookNode) -> None:
            async with free:
                resources = {"metadata": {"path": str(folder)}}
                await NotebookClient(
                    notebook, timeout=None, kernel_name="python3", allow_errors=True, resources=resources
                ).async_execute()

        await asyncio.gather(*map(run, notebooks.values()))

    asyncio.run(run_each())
    return dict(notebooks)


def run_cells(cells: Sequence[str], folder: Path) -> list[str]:
    """What each of some cells shows when they are run one after another."""
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    run_all({"": notebook}, folder)
    return [shown_by(cell) for cell in notebook.cells]


def shown_by(cell: NotebookNode) -> str:
    """The text below a cell, without colours; of an error its name and message."""
    return COLOUR.sub("", "".join(output.get("text") or _error(output) for output in cell.get("outputs", ())))


def verdict_of(shown: str) -> Run:
    """What a notebook shows, to be read as what pytest prints."""
    return Run(0, shown, "")


def _error(output: NotebookNode) -> str:
    return f"{output.ename}: {output.evalue}\n" if output.output_type == "error" else ""
