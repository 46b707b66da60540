"""`headstart cohort template`: the repositories of a cohort."""

from pathlib import Path
from typing import Annotated

import typer

from graders.commands.options import fail


def template(
    out: Annotated[Path, typer.Option(help="A folder that is new, or has nothing in it.", metavar="DIR")],
    lead: Annotated[bool, typer.Option("--lead", help="The lead's own repository in place of a learner's.")] = False,
) -> None:
    """Make the repository that learners start from, or with --lead the one that grades them.

    A learner's has fresh stubs, the pages, the graders as a wheel with its checksum, and a workflow that says at every
    push what is not right yet. A lead's has a roster and a policy to fill in, and a workflow that grades every night.
    """
    from graders.cohort.template import TemplateError, make_template

    try:
        wheel = make_template(out, lead)
    except TemplateError as error:
        fail(str(error))
    what = "a lead's repository" if lead else "a learner's repository"
    typer.echo(f"wrote {out}: {what}, with headstart {wheel.version} as a wheel ({len(wheel.content) / 1e6:.1f} MB)")
    typer.echo(f"Next: read {out / 'README.md'}, then commit what is there and push it")
