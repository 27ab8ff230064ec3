"""`python -m generator initial | incremental | expect`."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from generator.accounts import Accounts
from generator.earlier import rebuild
from generator.errors import GeneratorError
from generator.expect import Mode, expected, write_expected
from generator.formats import Encoding, Form, Format
from generator.generate import generate
from generator.output import local_copy, new_file
from generator.rows import Shares

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)

_START = "2025-01-01T00:00:00Z"  # fixed, so that the same seed gives the same bytes on any day

Rows = Annotated[int, typer.Option("--rows", min=0, help="How many rows.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Same seed and arguments, same bytes.")]
Out = Annotated[
    str | None,
    typer.Option(
        "--out",
        help="A file, or gs://bucket/object. By default [incremental_]dummy_data.csv, with the format's ending.",
    ),
]
Reuse = Annotated[float, typer.Option("--reuse-probability", help="A row is for a customer who exists.")]
Delete = Annotated[float, typer.Option("--delete-probability", help="A row deletes an account.")]
Duplicate = Annotated[float, typer.Option("--duplicate-probability", help="A row repeats an earlier key and version.")]
Late = Annotated[float, typer.Option("--late-probability", help="A row is older than what is there.")]
Bad = Annotated[float, typer.Option("--bad-probability", help="A row is bad in one of several ways.")]
Earlier = Annotated[list[str] | None, typer.Option("--continue-from", help="Earlier output, oldest first; repeat it.")]
Expect = Annotated[
    Path | None, typer.Option("--expect", help="Also write the main table that all files together must give.")
]
Start = Annotated[str, typer.Option("--start", help="The first version, where nothing came before.")]
InFormat = Annotated[Format, typer.Option("--format", help="Of the file.")]
InEncoding = Annotated[Encoding, typer.Option("--encoding", help="Of csv and tsv.")]
Gzip = Annotated[bool, typer.Option("--gzip", help="Pack csv, tsv or ndjson.")]
InMode = Annotated[Mode, typer.Option("--mode", help="What the expected table keeps, as a contract's mode says it.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what exists.")]


@app.command()
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
    """A first file: customers and their accounts."""
    with _report_errors():
        # Nothing is there to update yet: a customer who is reused opens one more account.
        shares = Shares(reuse, 0.0, delete, duplicate, late, bad)
        form = Form(format_, encoding, gzip)
        out = out or f"dummy_data{form.suffix}"
        _write(rows, seed, out, shares, [], Answer(expect, mode), form, start, force)


@app.command()
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
    """A later file: updates, additional accounts and new customers."""
    with _report_errors():
        shares = Shares(reuse, 0.5, delete, duplicate, late, bad)
        form = Form(format_, encoding, gzip)
        out = out or f"incremental_dummy_data{form.suffix}"
        earlier = continue_from or [f"dummy_data{form.suffix}"]
        _write(rows, seed, out, shares, earlier, Answer(expect, mode), form, start, force)


@app.command("expect")
def expect_command(
    files: Annotated[list[Path], typer.Argument(help="In the order they are dropped.")],
    out: Annotated[Path, typer.Option("--out")],
    mode: InMode = Mode.UPSERT,
    force: Force = False,
) -> None:
    """The main table that these files must give."""
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
