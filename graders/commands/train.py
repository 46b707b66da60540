"""`headstart train`: the learner's own model, trained by their own loop."""

from pathlib import Path
from typing import Annotated

import typer

from graders.commands.options import call, expect, expect_seed, fail, given, subject_named
from graders.run_folder import check_same, read_text, settings
from graders.subject_code import CannotGoOn


def train(
    context: typer.Context,
    text: Annotated[Path | None, typer.Argument(help="A text file; without one, Python's own manual.")] = None,
    out: Annotated[Path, typer.Option(help="Where the run is kept; a run that is there is gone on with.")] = Path(
        "run"
    ),
    steps: Annotated[
        int, typer.Option(help="How many steps the whole run has; a run that has begun keeps its number.")
    ] = 1000,
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
        whose = subject_named(subject)
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
