"""`headstart explain`: a record in words."""

from typing import Annotated

import typer

from graders.commands.naming import AsJson, complete_graded, print_json
from graders.commands.options import fail, refuse
from graders.loop.explain import NotARecord, Unknown, explain_data, explain_lines, find


def explain(
    record: Annotated[
        str,
        typer.Argument(
            help="A file that --records wrote, FILE:LINE, or the name of a law or a task of your last verdicts.",
            autocompletion=complete_graded,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Explain a record in words.

    What happened, what was expected, the mistake if it is a known one, what to do next. Of a file without a line, the
    first record that is no pass.
    """
    try:
        found = find(record)
    except Unknown as error:
        refuse(str(error))
    except NotARecord as error:
        fail(str(error))
    if as_json:
        print_json(explain_data(found))
    else:
        typer.echo("\n".join(explain_lines(found)))
