"""`headstart see`: what the learner's own code does on a sentence, as a page to look at."""

import math
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from graders.commands.naming import AsJson, print_json
from graders.commands.options import call, expect, fail, given, refuse, subject_named
from graders.subject_code import CannotGoOn

PICTURES = ("attention", "block", "gpt", "caching", "sampling")
SUFFIX = ".html"
FILTERS = ("temperature", "top_k", "top_p", "frequency_penalty")


def complete_picture(incomplete: str) -> list[str]:
    """The pictures whose names begin so."""
    return [picture for picture in PICTURES if picture.startswith(incomplete)]


def see(
    context: typer.Context,
    picture: Annotated[
        str, typer.Argument(help=f"What to look at: {', '.join(PICTURES)}.", autocompletion=complete_picture)
    ],
    text: Annotated[
        str | None, typer.Option(help="The sentence, 2 to 32 tokens; a new one takes some seconds.", show_default=False)
    ] = None,
    subject: Annotated[str, typer.Option(help="Whose files run: exercises, reference, or a folder.")] = "exercises",
    out: Annotated[
        Path | None, typer.Option(help="The page's file; else see-PICTURE.html, here.", show_default=False)
    ] = None,
    temperature: Annotated[float, typer.Option(help="For sampling: below 1 likelier, above 1 wilder.")] = 0.8,
    top_k: Annotated[int, typer.Option(help="For sampling: keep this many of the likeliest tokens.")] = 12,
    top_p: Annotated[
        float, typer.Option(help="For sampling: keep the fewest that are this likely together, 0 to 1.")
    ] = 0.9,
    frequency_penalty: Annotated[
        float, typer.Option(help="For sampling: taken off a token for each time it is in the sentence.")
    ] = 0.5,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at what your own code does on a sentence: one page, beside TransformerLens's numbers, that opens offline."""
    if picture not in PICTURES:
        refuse(f"there is no picture {picture!r}; there are {', '.join(PICTURES)}")
    expect("--temperature", temperature, 0 < temperature < math.inf, "a number above 0")
    expect("--top-k", top_k, top_k >= 1, "1 or more")
    expect("--top-p", top_p, 0 <= top_p <= 1, "a probability, from 0 to 1")
    expect("--frequency-penalty", frequency_penalty, math.isfinite(frequency_penalty), "a finite number")
    if picture != "sampling" and (said := given(context, *FILTERS)):
        refuse(f"{said[0]} has no effect on {picture}; leave it out, or look at sampling")
    out = Path(f"see-{picture}{SUFFIX}") if out is None else out
    if out.suffix != SUFFIX:
        refuse(f"--out {out}: expected a name that ends in {SUFFIX}")
    if out.is_dir() or not out.parent.is_dir():
        refuse(f"--out {out}: expected a file in a folder that is there")
    if text is not None and not is_unicode(text):
        refuse("--text is not UTF-8; expected text in that encoding")
    whose = subject_named(subject)
    from graders.see import pictures
    from graders.weights.checkpoint import CheckpointError

    command = call("see", picture, *given(context, "text", "subject", *FILTERS))
    filters = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "frequency_penalty": frequency_penalty}
    try:
        drawn = pictures.draw(whose, picture, text, command, **filters)
    except pictures.Unfit as error:
        refuse(str(error))
    except (CannotGoOn, CheckpointError) as error:
        fail(str(error))
    except (OSError, RuntimeError) as error:  # a process that did not start, a cache that cannot be written to
        fail(f"nothing was drawn: {error}; `headstart doctor` says what this machine lacks")
    try:
        out.write_text(pictures.page(drawn), encoding="utf-8")
    except OSError as error:
        fail(f"{out} could not be written ({error.strerror}); --out names another file")
    whole = out.resolve()
    if as_json:
        print_json({"page": str(whole), "equal": drawn.is_equal, "verdict": drawn.verdict, "missing": drawn.missing})
    else:
        typer.echo(f"{drawn.verdict}\n{whole.as_uri()}" if drawn.verdict else whole.as_uri())
    if show and not webbrowser.open(whole.as_uri()):
        typer.echo(f"no browser could be opened; open {out} in one", err=True)
    if drawn.missing:
        fail(f"a part of the picture is missing: {drawn.missing}")


def is_unicode(text: str) -> bool:
    """Whether a text of the command line could be read: what could not be stands in it as a half of a character."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)
