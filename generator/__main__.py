"""`python -m generator initial | incremental | expect`."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from typer.core import TyperCommand

from generator.accounts import Accounts
from generator.earlier import rebuild
from generator.errors import GeneratorError
from generator.expect import Mode, expected, write_expected
from generator.formats import Encoding, Form, Format
from generator.generate import generate
from generator.output import local_copy, new_file
from generator.rows import Shares


class _Command(TyperCommand):
    """Its help is in plain words: typer alone shows Python's types and ranges."""

    def get_help(self, ctx: Any) -> str:
        """For `--help`."""
        return re.sub(r"[{}]|; x>=0| <[^ >]+>|  \[required\]", "", super().get_help(ctx))


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Generate files of customers and their accounts, and the main table that they must give.",
)

_START = "2025-01-01T00:00:00Z"  # fixed, so that the same seed gives the same bytes on any day

Rows = Annotated[int, typer.Option("--rows", min=0, metavar="N", help="How many rows to write.")]
Seed = Annotated[
    int, typer.Option("--seed", min=0, metavar="N", help="The same seed and arguments give the same bytes.")
]
Out = Annotated[
    str | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="A file, or gs://BUCKET/OBJECT. [default: [incremental_]dummy_data.csv, with the format's ending]",
    ),
]
Reuse = Annotated[
    float, typer.Option("--reuse-probability", metavar="P", help="How likely a row is for a customer who exists.")
]
Delete = Annotated[
    float, typer.Option("--delete-probability", metavar="P", help="How likely a row deletes an account.")
]
Duplicate = Annotated[
    float,
    typer.Option("--duplicate-probability", metavar="P", help="How likely a row repeats an earlier key and version."),
]
Late = Annotated[
    float, typer.Option("--late-probability", metavar="P", help="How likely a row is older than what is there.")
]
Bad = Annotated[float, typer.Option("--bad-probability", metavar="P", help="How likely a row has an error.")]
Earlier = Annotated[
    list[str] | None, typer.Option("--continue-from", metavar="FILE", help="Earlier output, oldest first; repeat it.")
]
Expect = Annotated[
    Path | None,
    typer.Option("--expect", metavar="FILE", help="Also write the main table that all files together must give."),
]
Start = Annotated[
    str, typer.Option("--start", metavar="TIME", help="The first version, if there are no earlier files.")
]
InFormat = Annotated[
    Format,
    typer.Option("--format", metavar="FORMAT", help="The file's format: csv, tsv, ndjson, parquet, avro or orc."),
]
InEncoding = Annotated[
    Encoding,
    typer.Option(
        "--encoding",
        metavar="ENCODING",
        help="The encoding of csv and tsv: utf-8, utf-8-bom, utf-16, iso-8859-1 or windows-1252.",
    ),
]
Gzip = Annotated[bool, typer.Option("--gzip", help="Compress csv, tsv or ndjson.")]
InMode = Annotated[
    Mode,
    typer.Option(
        "--mode", metavar="MODE", help="The contract's mode for the expected table: upsert, append or snapshot."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")]


@app.command(cls=_Command)
def initial(
    rows: Rows = 1000,
    seed: Seed = 0,
    out: Out = None,
    reuse: Reuse = 0.5,
    delete: Delete = 0.0,
    duplicate: Duplicate = 0.0,
    late: Late = 0.0,
    bad: Bad = 0.0,
    expect: Expect = None,
    format_: InFormat = Format.CSV,
    encoding: InEncoding = Encoding.UTF_8,
    gzip: Gzip = False,
    mode: InMode = Mode.UPSERT,
    start: Start = _START,
    force: Force = False,
) -> None:
    """Write a first file of customers and their accounts."""
    with _report_errors():
        # Nothing is there to update yet: a customer who is reused opens one more account.
        shares = Shares(reuse, 0.0, delete, duplicate, late, bad)
        form = Form(format_, encoding, gzip)
        out = out or f"dummy_data{form.suffix}"
        _write(rows, seed, out, shares, [], Answer(expect, mode), form, start, force)


@app.command(cls=_Command)
def incremental(
    rows: Rows = 1000,
    seed: Seed = 1,
    out: Out = None,
    reuse: Reuse = 0.5,
    delete: Delete = 0.0,
    duplicate: Duplicate = 0.0,
    late: Late = 0.0,
    bad: Bad = 0.0,
    continue_from: Earlier = None,
    expect: Expect = None,
    format_: InFormat = Format.CSV,
    encoding: InEncoding = Encoding.UTF_8,
    gzip: Gzip = False,
    mode: InMode = Mode.UPSERT,
    start: Start = _START,
    force: Force = False,
) -> None:
    """Write a later file with updates and new accounts."""
    with _report_errors():
        shares = Shares(reuse, 0.5, delete, duplicate, late, bad)
        form = Form(format_, encoding, gzip)
        out = out or f"incremental_dummy_data{form.suffix}"
        earlier = continue_from or [f"dummy_data{form.suffix}"]
        _write(rows, seed, out, shares, earlier, Answer(expect, mode), form, start, force)


@app.command("expect", cls=_Command)
def expect_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Files in the order in which they are dropped.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it.")],
    mode: InMode = Mode.UPSERT,
    force: Force = False,
) -> None:
    """Write the main table that these files must give."""
    with _report_errors(), new_file(str(out), force) as temporary:
        count = write_expected(expected(files, mode), temporary)
    typer.echo(f"{out}: {count} rows")


@dataclass(frozen=True)
class Answer:
    """Where the expected table goes, if it is wanted, and for which mode."""

    path: Path | None
    mode: Mode


def _write(
    rows: int,
    seed: int,
    out: str,
    shares: Shares,
    earlier: Sequence[str],
    answer: Answer,
    form: Form,
    start: str,
    force: bool,
) -> None:
    microseconds = _microseconds(start)
    with ExitStack() as stack:
        paths = [stack.enter_context(local_copy(place)) for place in earlier]
        accounts = rebuild(paths) if paths else Accounts()
        folder = Path(stack.enter_context(TemporaryDirectory()))
        with new_file(out, force, form.content_type) as temporary:
            made = temporary if form == Form() else folder / "rows.csv"
            with Progress(console=Console(stderr=True), transient=True) as progress:
                task = progress.add_task("rows", total=rows)
                generate(made, rows, seed, accounts, shares, microseconds, lambda n: progress.advance(task, n))
            if made != temporary:
                form.write(made, temporary, is_typed=shares.bad == 0)
            if answer.path is not None:
                with new_file(str(answer.path), force) as file:
                    write_expected(expected([*paths, temporary], answer.mode), file)
    typer.echo(f"{out}: {rows} rows; {accounts.customers} customers, {accounts.count} accounts so far")


def _microseconds(start: str) -> int:
    try:
        moment = datetime.fromisoformat(start)
    except ValueError as error:
        raise GeneratorError(f"--start {start!r} is not a timestamp") from error
    if moment.tzinfo is None:
        raise GeneratorError(f"--start {start!r} has no offset: end it with Z")
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 10**6


@contextmanager
def _report_errors() -> Iterator[None]:
    try:
        yield
    except GeneratorError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    app()
