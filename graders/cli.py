"""`headstart`: the commands of the course. A thin shell; what takes time to import is imported by its command."""

import math
import os
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from graders.commands.site import site
from graders.engine.course import ROOT, load_course
from graders.engine.stubs import differing, stub_files
from graders.options import (
    MAX_BEAMS,
    call,
    expect,
    expect_seed,
    fail,
    given,
    refuse,
    refuse_missing_run,
    refuse_without_effect,
)
from graders.run_folder import check_same, read_text, settings
from graders.subject_code import CannotGoOn, Printed, Subject

EXERCISES = ROOT / "exercises"

# Without markup a flag is shown plainly, not as `<bool>`
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"headstart {version('headstart')}")
        raise typer.Exit


@app.callback()
def headstart(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Build a transformer from scratch, one exercise at a time."""


@app.command()
def stubs(
    exercise: Annotated[str | None, typer.Argument(help="One exercise; all of them when it is left out.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="The maintainers' check: write nothing; fail when a file is not its stub.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that have work in them.")] = False,
) -> None:
    """Write the files that learners start from into `exercises/`; files that have work in them are left alone."""
    try:
        wanted = stub_files()
    except ValueError as error:
        fail(str(error))
    if exercise is not None:
        if exercise not in wanted:
            _refuse_unknown([exercise])
        wanted = {exercise: wanted[exercise]}
    present = _texts_in(EXERCISES)
    changed = differing(present, wanted)
    if check:
        _report_check(changed)
        return
    kept = [name for name in changed if name in present and not force]
    for name in changed:
        if name not in kept:
            _write(EXERCISES / f"{name}.py", wanted[name])
    if not changed:
        typer.echo("nothing to write: every stub is there, untouched")
    if kept:
        fail("\n".join(map(_left_alone, kept)))


@app.command()
def audit(
    exercises: Annotated[list[str] | None, typer.Argument(help="Exercises; all of them when none is named.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Repeat variants and misconceptions on 50 seeds.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = os.cpu_count() or 1,
) -> None:
    """Prove that the graders catch every known mistake and accept every right answer."""
    known = [entry.name for entry in load_course().exercises]
    unknown = [name for name in exercises or () if name not in known]
    if unknown:
        _refuse_unknown(unknown)
    from graders.engine.audit import run_audit

    if not run_audit(exercises or known, full, jobs):
        raise typer.Exit(1)


@app.command()
def write(
    context: typer.Context,
    prompt: Annotated[str, typer.Argument(help="The text to continue.")],
    tokens: Annotated[int, typer.Option(help="How many tokens to add.")] = 100,
    subject: Annotated[str, typer.Option(help="Whose model writes: exercises, reference, or a folder.")] = "exercises",
    weights: Annotated[
        str | None,
        typer.Option(
            help="A GPT-2-format folder, a training run, or gpt2 from the hub; else the small one that comes with "
            "the course."
        ),
    ] = None,
    temperature: Annotated[float, typer.Option(help="Below 1 likelier, above 1 wilder, 0 always the likeliest.")] = 0.8,
    top_k: Annotated[int | None, typer.Option(help="Draw from this many of the likeliest tokens.")] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Draw from the fewest that are this likely together, 0 to 1.")
    ] = None,
    frequency_penalty: Annotated[float, typer.Option(help="Taken off a token for each time it was written.")] = 0.0,
    eos_id: Annotated[
        int | None, typer.Option(help="The token that ends the text; -1 for none, else the tokenizer's own.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed, another text.")] = 0,
    beams: Annotated[
        int, typer.Option(help=f"Search with this many beams, at most {MAX_BEAMS}, and show them side by side.")
    ] = 0,
    length_penalty: Annotated[float, typer.Option(help="With beams: divide a score by length to this power.")] = 0.0,
    no_repeat_ngram_size: Annotated[int, typer.Option(help="With beams: no n-gram twice.")] = 0,
) -> None:
    """Continue a text, token by token, with your own model and sampling."""
    if not prompt:
        refuse("the text to continue is empty; expected at least a word, such as 'To be, or'")
    expect("--tokens", tokens, tokens >= 1, "1 or more")
    expect("--temperature", temperature, 0 <= temperature < math.inf, "0 or more")
    expect("--top-k", top_k, top_k is None or top_k >= 1, "1 or more")
    expect("--top-p", top_p, top_p is None or 0 <= top_p <= 1, "a probability, from 0 to 1")
    expect("--frequency-penalty", frequency_penalty, math.isfinite(frequency_penalty), "a finite number")
    expect("--eos-id", eos_id, eos_id is None or eos_id >= -1, "an id of the vocabulary, or -1 for none")
    expect_seed(seed)
    expect("--beams", beams, 0 <= beams <= MAX_BEAMS, f"0 to {MAX_BEAMS}")
    expect("--length-penalty", length_penalty, math.isfinite(length_penalty), "a finite number")
    expect("--no-repeat-ngram-size", no_repeat_ngram_size, no_repeat_ngram_size >= 0, "0 or more")
    refuse_without_effect(context, beams > 0)
    refuse_missing_run(weights)
    whose = _subject(subject)
    from graders.writing import PARTS, load_writer

    printed, begun = Printed(), False
    try:
        with whose.explained(PARTS):
            writer = load_writer(whose, weights, printed)
            ids, end = writer.encode(prompt), writer.end_of_text(eos_id)
            if beams:
                options = {"eos_id": end, "length_penalty": length_penalty}
                _show_beams(writer.beams(ids, beams, tokens, no_repeat_ngram_size=no_repeat_ngram_size, **options))
                return
            options = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
            options |= {"frequency_penalty": frequency_penalty, "eos_id": end}
            for text in writer.write(ids, tokens, options, seed):
                typer.echo(text if begun else prompt + text, nl=False)
                begun = True
            typer.echo("" if begun else prompt)
            typer.echo(f"\n{writer.speed()}")
    except CannotGoOn as error:
        if begun:
            typer.echo()
        fail(str(error))
    finally:
        if printed.told():
            typer.echo(printed.told(), err=True)


@app.command()
def train(
    context: typer.Context,
    text: Annotated[Path | None, typer.Argument(help="A text file; without one, Python's own manual.")] = None,
    out: Annotated[Path, typer.Option(help="Where the run is kept; a run that is there is gone on with.")] = Path(
        "run"
    ),
    steps: Annotated[int, typer.Option(help="How many steps the whole run has.")] = 1000,
    subject: Annotated[str, typer.Option(help="Whose files train: exercises, reference, or a folder.")] = "exercises",
    seed: Annotated[int, typer.Option(help="Another seed, another run.")] = 0,
) -> None:
    """Train your own model on a text with your own loop; `headstart write --weights run` then writes with it.

    The model has four layers, a width of 128 and 1.1 million parameters; 1000 steps take some minutes on two cores.
    Ctrl-C stops a run, and the same command goes on with it.
    """
    expect("--steps", steps, steps >= 1, "1 or more")
    expect_seed(seed)

    texts = () if text is None else (text,)
    same_call = call("train", *texts, *given(context, "out", "steps", "subject", "seed"))
    next_call = call('write "The "', "--weights", out, *given(context, "subject"))
    try:
        read = read_text(text)
        if check_same(out, settings(read, steps, seed)):
            typer.echo(f"all {steps:,} of {steps:,} steps are taken; nothing to do\nNext: {next_call}")
            return
        whose = _subject(subject)
        from graders.training_run import PARTS, run

        with whose.explained(PARTS):
            told = run(whose, read, out, steps, seed)
    except CannotGoOn as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail(f"\nstopped; to go on: {same_call}")
    typer.echo(
        f"held-out loss {told['held_out']:.3f} nats a token after {told['taken']:,} of {steps:,} steps; to compare, "
        f"uniform {told['uniform']:.3f}, unigram {told['unigram']:.3f}; the curve is in {out / 'loss.png'}\n"
        f"Next: {next_call if told['taken'] == steps else same_call}"
    )


app.command()(site)


def _subject(name: str) -> Subject:
    from graders.engine.subjects import subject_folder

    folder = subject_folder(name)
    if folder is None:
        refuse(f"--subject {name}: there is no such folder; it takes exercises, reference or a folder with exercises")
    return Subject(name, folder)


def _show_beams(found: list[tuple[float, str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_lines=False)
    for number, (score, _text) in enumerate(found, 1):
        table.add_column(f"beam {number}   score {score:.2f}", overflow="fold")
    table.add_row(*(text for _score, text in found))
    Console().print(table)


def _texts_in(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8", errors="replace") for path in folder.glob("*.py")}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    typer.echo(f"wrote {_shown(path.stem)}")


def _report_check(changed: list[str]) -> None:
    if changed:
        fail(
            f"not what reference/ generates: {', '.join(map(_shown, changed))}; this is the maintainers' check, and a "
            "learner's work is expected to differ; `headstart stubs EXERCISE` writes a file that is missing, and with "
            "--force also replaces what is in one"
        )
    typer.echo("exercises/ is what reference/ generates")


def _left_alone(name: str) -> str:
    return (
        f"{_shown(name)} differs from its stub, so there may be work in it, and it was left alone; "
        f"`headstart stubs {name} --force` replaces it"
    )


def _shown(name: str) -> str:
    return f"{EXERCISES.name}/{name}.py"


def _refuse_unknown(names: list[str]) -> NoReturn:
    known = ", ".join(entry.name for entry in load_course().exercises)
    refuse(f"there is no exercise {', '.join(map(repr, names))}; the exercises are {known}")


if __name__ == "__main__":
    app(prog_name="headstart")
