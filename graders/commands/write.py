"""`headstart write`: a text continued by the learner's own model."""

import math
from typing import Annotated

import typer

from graders.commands.options import (
    MAX_BEAMS,
    expect,
    expect_seed,
    fail,
    missing_run,
    refuse,
    refuse_without_effect,
    subject_named,
)
from graders.subject_code import CannotGoOn, Printed


def write(
    context: typer.Context,
    prompt: Annotated[str, typer.Argument(help="The text to continue.", metavar="PROMPT")],
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
    if missing := missing_run(weights):
        refuse(f"--weights: {missing}")
    whose = subject_named(subject)
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


def _show_beams(found: list[tuple[float, str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_lines=False)
    for number, (score, _text) in enumerate(found, 1):
        table.add_column(f"beam {number}   score {score:.2f}", overflow="fold")
    table.add_row(*(text for _score, text in found))
    Console().print(table)
