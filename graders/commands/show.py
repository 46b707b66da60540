"""`headstart show`: what a task asks, its shapes drawn."""

from typing import Annotated

import typer

from graders.commands.naming import AsJson, complete_either, complete_task, one_task, print_json
from graders.engine.course import load_course
from graders.loop.progress import standing_of
from graders.loop.specification import overview_data, overview_lines, show_data, show_lines, specification_of


def show(
    name: Annotated[str, typer.Argument(help="A task, or an exercise.", autocompletion=complete_either)],
    task: Annotated[str | None, typer.Argument(help="A task of that exercise.", autocompletion=complete_task)] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a task asks, its shapes drawn.

    The shapes as named axes, the text of its stub, the laws that must hold, its page. Of an exercise, show its
    tasks, a line or two each. A name that is both is the exercise: name it twice for the task.
    """
    exercise = load_course().get(name)
    if task is None and exercise:
        if as_json:
            print_json(overview_data(exercise, standing_of(exercise).states))
        else:
            typer.echo("\n".join(overview_lines(exercise, standing_of(exercise).states)))
        return
    owner, chosen = one_task("show", name, task)
    spec, state = specification_of(owner.name, chosen.name), standing_of(owner).states[chosen.name]
    if as_json:
        print_json(show_data(spec, state))
    else:
        typer.echo("\n".join(show_lines(spec, state)))
