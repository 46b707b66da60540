"""`headstart see`: what the learner's own code does on a sentence, as a page to look at."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from graders.commands.options import call, fail, given, refuse, subject_named
from graders.subject_code import CannotGoOn

PICTURES = ("attention", "block", "gpt")


def see(
    context: typer.Context,
    picture: Annotated[str, typer.Argument(help=f"What to look at: {', '.join(PICTURES)}.")],
    text: Annotated[
        str | None, typer.Option(help="The sentence, 2 to 32 tokens; a new one takes some seconds.", show_default=False)
    ] = None,
    subject: Annotated[str, typer.Option(help="Whose files run: exercises, reference, or a folder.")] = "exercises",
    out: Annotated[
        Path | None, typer.Option(help="The page's file; else see-PICTURE.html, here.", show_default=False)
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Look at what your own code does on a sentence: one page, beside TransformerLens's numbers, that opens offline."""
    if picture not in PICTURES:
        refuse(f"there is no picture {picture!r}; there are {', '.join(PICTURES)}")
    out = Path(f"see-{picture}.html") if out is None else out
    if out.is_dir() or not out.parent.is_dir():
        refuse(f"--out {out}: expected a file in a folder that is there")
    whose = subject_named(subject)
    from graders.see import pictures

    try:
        drawn = pictures.draw(whose, picture, text, call("see", picture, *given(context, "text", "subject")))
        out.write_text(pictures.page(drawn), encoding="utf-8")
    except pictures.Unfit as error:
        refuse(str(error))
    except CannotGoOn as error:
        fail(str(error))
    except OSError as error:
        fail(f"{out} could not be written ({error.strerror}); --out names another file")
    typer.echo(f"{drawn.verdict}\n{out.resolve().as_uri()}" if drawn.verdict else out.resolve().as_uri())
    if show and not webbrowser.open(out.resolve().as_uri()):
        typer.echo(f"no browser could be opened; open {out} in one", err=True)
    if drawn.missing:
        fail(f"a part of the picture is missing: {drawn.missing}")
