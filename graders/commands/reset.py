"""`headstart reset`: one task put back to its stub."""

from typing import Annotated

import typer

from graders.commands.naming import AsJson, ask, complete_either, complete_task, exercises_with, one_task, print_json
from graders.commands.options import fail, refuse
from graders.engine.course import load_course
from graders.loop.files import reset as put_back
from graders.loop.files import shown_path


def reset(
    name: Annotated[str, typer.Argument(help="A task, or its exercise.", autocompletion=complete_either)],
    task: Annotated[
        str | None, typer.Argument(help="The task, after its exercise.", autocompletion=complete_task)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start one task over.

    Its stub comes back, and everything else in the file stays as it is. The file as it was is kept in
    .headstart/backups/.
    """
    whole = load_course().get(name)
    if task is None and whole and not exercises_with(name):
        tasks = ", ".join(t.name for t in whole.tasks)
        refuse(
            f"{name} is an exercise; expected one of its tasks too: {tasks}; "
            f"`headstart stubs {name} --force` starts all of it over"
        )
    owner, chosen = one_task("reset", name, task)
    file = f"exercises/{owner.name}.py"
    if not yes:
        ask(f"Put the stub of {chosen.name} back into {file}? A copy of the file is kept.", "nothing was changed")
    try:
        backup = put_back(owner.name, chosen.name)
    except (ValueError, OSError) as error:
        fail(str(error))
    if as_json:
        print_json({"exercise": owner.name, "task": chosen.name, "file": file, "backup": shown_path(backup)})
    else:
        typer.echo(f"{chosen.name} in {file} is its stub again; the file as it was is {shown_path(backup)}")
