"""The page `docs/commands.md`, from the commands themselves: no command without its help, no help that is out of date.

python -m graders.commands.pages --write
"""

import datetime
import inspect
import sys
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typer

from graders.engine.course import ROOT

PAGE = ROOT / "docs" / "commands.md"
HEAD = """# Commands

What stands here is made from the commands themselves by `python -m graders.commands.pages --write`; each says the same
with `--help`. Exercises are graded by pytest, `pytest graders/test_attention.py`; its `--help` has our options under
"grading exercises".
"""
# What `--json` prints, by command; a test holds that every command with that option is here
JSON = {
    "headstart": (
        "An object: `tasks` and `tasks_done`, numbers; `minutes_left`; `next`, which is null when every task is "
        "done and else has `exercise`, `task`, `file`, `page` and `run`, the command to run; and `exercises`, the "
        "list that `headstart list --json` prints."
    ),
    "list": (
        "A list of exercises in the course's order: `exercise`, `track`, `session` (null for what comes after the "
        "sessions), `minutes`, `minutes_left`, `difficulty` from 1 to 5, `edited` (whether the file was changed since "
        "its last verdict) and `tasks`, each with `task`, `state` and `solution_seen`. A state is `done`, `not yet "
        "right`, `not started`, `waits`, `holds as far as tried` or `not tried`."
    ),
    "show": (
        "Of a task, an object: `exercise`, `task`, `state`, `docstring`; of a class, `heading` and `given`, pairs "
        "of name and shape; `functions`, each with `signature`, `arguments` (pairs of name and shape), `result`, "
        "`docstring` and `steps`; `laws`, a sentence each; `page`. Of an exercise, an object: `exercise`, `page` "
        "and `tasks`, a list of those."
    ),
    "reset": (
        "An object: `exercise`; `task`; `file`, that has its stub again; `backup`, the file as it was. Both are paths "
        "from the course's folder."
    ),
    "see": (
        "An object: `page`, the path of the page; `equal`, whether all that was compared is as expected; `verdict`, "
        "the sentence that names the first difference; `missing`, why a part of the picture is left out, or empty."
    ),
    "hint": (
        "An object: `exercise`, `task`, `state`; `rung`, counted from 1, of `rungs` (both are 0 when there is no "
        "hint to give); `law` and `misconception` that it is about, empty where there are none; `edited`, whether "
        "the file was changed since; `said`, a list of objects with `label` and `text`."
    ),
    "explain": (
        "An object: `record`, with the fields of [a record](records.md); `what_happened`; `misconceptions`, each "
        "with `id`, `names` (the sentence) and `asks` (the question); `next`, a list of what to do; `other_lines`, "
        "the numbers of the lines of further broken records."
    ),
    "doctor": (
        "A list of objects: `name`; `state`, which is `ok`, `wrong` or `note`; `said`; `mend`, empty where there is "
        "nothing to mend."
    ),
    "watch": (
        "An object for each verdict, on a line of its own as soon as it is there: `exercise`; `file_hash`, which tells "
        "the text that was graded from others; `tasks`, the state of each; `n_done`; `laws`, the status of each; "
        "`screens` and `summary`, lines; `note`, empty where all is well; `seconds` that the grading took; `run`, its "
        "number."
    ),
}
VALUES = {
    int: "N",
    float: "X",
    str: "TEXT",
    Path: "PATH",
    list[str]: "NAME",
    datetime.datetime: "DAY",
}  # an option's value, by its type
CODES = """## Exit codes

| | `headstart` | `pytest graders/...` |
|---|---|---|
| 0 | done | every law that was tried holds |
| 1 | it could not be done, or something is not right yet | a law is broken, waits, or is not started |
| 2 | the command line itself is wrong | the run was interrupted, or a grader could not be read |
| 3, 4, 5 | | pytest stopped; an option is wrong; no law was chosen |

## Completion

`headstart --install-completion` completes commands, options, exercises and tasks in the shell that you use (bash, zsh,
fish, PowerShell) from the next one that you open on; `headstart --show-completion` prints what it would install.
"""


def page_text() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, command in all_commands().items():
        called = " ".join(dict.fromkeys(["headstart", *name.split()]))
        parts += _section(name, called, command)
    return "\n".join([*parts, CODES])


def all_commands() -> dict[str, Any]:
    """Every command by what is typed after `headstart`; `headstart` itself, and a group's commands after the group."""
    from graders.cli import app

    root: Any = typer.main.get_command(app)
    commands = {"headstart": root}
    for name, command in root.commands.items():
        inner = getattr(command, "commands", None)
        commands |= {name: command} if inner is None else {f"{name} {n}": c for n, c in inner.items()}
    return commands


def commands_with_json() -> list[str]:
    """The commands that have an option `--json`."""
    return [name for name, command in all_commands().items() if any("--json" in p.opts for p in command.params)]


def _section(name: str, called: str, command: Any) -> list[str]:
    """A command's usage, its words, its arguments and options, and what it prints for a program."""
    shown = [p for p in command.params if not p.hidden and p.name not in ("install_completion", "show_completion")]
    arguments = [p for p in shown if p.param_type_name == "argument"]
    usage = " ".join([called, *(_argument(p) for p in arguments), "[OPTIONS]"])
    types = get_type_hints(inspect.unwrap(command.callback))
    lines = [f"## {called}\n", f"```\n{usage}\n```\n", f"{command.help.strip()}\n", "| | |", "|---|---|"]
    for p in shown:
        written = _argument(p) if p in arguments else _option(p, types)
        lines.append(f"| `{written}` | {' '.join((p.help or '').split())}{_default(p)} |".replace("  |", " |"))
    lines.append("| `--help` | Show this message and exit. |\n")
    return [*lines, *([f"**With `--json`.** {JSON[name]}\n"] if name in JSON else [])]


def _argument(param: Any) -> str:
    name = param.name.upper() + ("..." if param.nargs == -1 else "")
    return name if param.required else f"[{name}]"


def _option(param: Any, types: dict[str, Any]) -> str:
    written = ", ".join(param.opts)
    kinds = get_args(types[param.name]) or (types[param.name],)
    return written if param.is_flag else f"{written} {param.metavar or VALUES[kinds[0]]}"


def _default(param: Any) -> str:
    if isinstance(param.show_default, str):
        return f" Default: {param.show_default}."
    default = param.default() if callable(param.default) else param.default
    if param.param_type_name == "argument" or default is None or default is False:
        return ""
    return f" Default: {default}."


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page_text(), encoding="utf-8", newline="\n")
    else:
        sys.stdout.write(page_text())
