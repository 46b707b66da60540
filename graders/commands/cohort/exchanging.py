"""`headstart cohort merge`, `import` and `export-records`: what histories and records give one another."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from graders.commands.cohort.options import HISTORY, History, open_history
from graders.commands.options import fail, refuse


def merge(
    into: Annotated[Path, typer.Argument(help="The history that takes over; made if there is none.", metavar="INTO")],
    others: Annotated[list[Path], typer.Argument(help="The histories that are read.", metavar="FROM...")],
) -> None:
    """Put several histories into one, such as those of the parts that --shard made; each verdict is in it once."""
    from graders.cohort.exchange import merge as take_over
    from graders.cohort.history import HistoryError
    from graders.commands.cohort.display import counted

    missing = [path for path in others if not path.is_file()]
    if missing:
        refuse(f"there is no {missing[0]}; expected a history to read")
    kept = open_history(into)
    for path in others:
        other = open_history(path)
        try:
            taken = take_over(kept, other)
        except HistoryError as error:
            fail(f"{path}: {error}")
        finally:
            other.close()
        typer.echo(
            f"{path}: {counted(taken.n_gradings, 'grading')} and {counted(taken.n_submissions, 'submission')} are new"
        )
    kept.close()


def import_records(
    file: Annotated[Path, typer.Argument(help="Records, one JSON object a line.", metavar="FILE")],
    learner: Annotated[str, typer.Option(help="The learner whose own records they are.")] = "",
    history: History = HISTORY,
) -> None:
    """Take over records that --records or export-records wrote; all of the file or, where one is wrong, nothing."""
    from graders.cohort.exchange import ExchangeError
    from graders.cohort.exchange import import_records as take_over
    from graders.cohort.history import HistoryError
    from graders.commands.cohort.display import counted

    kept = open_history(history)
    try:
        with file.open(encoding="utf-8") as lines:
            taken = take_over(kept, lines, learner)
    except (ExchangeError, HistoryError) as error:
        fail(f"{file}: {error}")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} could not be read: {error}")
    finally:
        kept.close()
    typer.echo(
        f"{file}: {counted(taken.n_gradings, 'grading')} and {counted(taken.n_submissions, 'submission')} are new"
    )


def export_records(
    file: Annotated[Path, typer.Argument(help="Where to, as JSON Lines; - is the standard output.", metavar="FILE")],
    history: History = HISTORY,
) -> None:
    """Write every record of the history, one JSON object a line, as docs/records.md describes them."""
    from graders.cohort.exchange import export_records as lines_of
    from graders.commands.cohort.display import counted

    kept = open_history(history, must_exist=True)
    try:
        if str(file) == "-":
            for line in lines_of(kept):
                sys.stdout.write(line + "\n")
        else:
            with file.open("w", encoding="utf-8", newline="\n") as out:
                n_records = 0
                for line in lines_of(kept):
                    out.write(line + "\n")
                    n_records += 1
            typer.echo(f"wrote {counted(n_records, 'record')} to {file}")
    except BrokenPipeError:  # whoever read what is printed reads no more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        fail(f"{file} could not be written ({error.strerror}); name another file")
    finally:
        kept.close()
