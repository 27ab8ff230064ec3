"""`dropmerge feeds test`: files through a contract, and the cases beside the contracts, without a cloud."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dropmerge.cli import trial_words
from dropmerge.cli.command import require_confirmation
from dropmerge.cli.exit_codes import FAILED, report_errors, usage_error
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, DryRun, Feeds, Json, Yes, complete_feed
from dropmerge.cli.sandboxed import in_sandbox
from dropmerge.cli.terminal import confirm, escape_unprintable, pluralize, print_table, shorten_list, table
from dropmerge.operations.errors import UsageError
from dropmerge.operations.feeds.contracts import choose_contracts

if TYPE_CHECKING:
    from dropmerge.operations.trial.cases import Case, Outcome
    from dropmerge.operations.trial.files import Trial, Tried
    from dropmerge.operations.trial.reading import Tell
    from dropmerge.operations.trial.sandbox import Sandbox
    from services.shared.contract.feed import Feed

_UNITS = {"B": 0, "KiB": 1, "MiB": 2, "GiB": 3, "TiB": 4}


def parse_size(text: str) -> float:
    """Bytes: 100GiB, 1.5TiB."""
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,3})?)(B|KiB|MiB|GiB|TiB)", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a size such as 500MiB or 100GiB")
    return float(match[1]) * 1024.0 ** _UNITS[match[2]]


def run_tests(
    contract: Annotated[
        str | None,
        typer.Argument(metavar="CONTRACT", autocompletion=complete_feed, help="A feed's name, or a contract's file."),
    ] = None,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            help="Files in the order in which they would be dropped; without any, the feed's cases in "
            "deploy/feeds/tests are run.",
        ),
    ] = None,
    main_size: Annotated[
        float | None,
        typer.Option(
            "--main-size",
            parser=parse_size,
            metavar="SIZE",
            help="Price the MERGE into a main table of this size, such as 100GiB.",
        ),
    ] = None,
    show: Annotated[
        int, typer.Option("--show", min=0, metavar="N", help="Show the first N rows of the resulting table.")
    ] = 0,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the cases' results to FILE as JUnit XML.")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Overwrite what failing cases expect with what came out.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Run files through a contract without a cloud; or, if no file is named, run the contracts' test cases.

    A file counts as created when it was last modified, and after the file before it. Exit code 1 if a row or a file is
    rejected, or a case fails.

    Example: dropmerge feeds test orders orders.csv --show 5
    """
    _require_sense(bool(files), main_size is not None or show > 0, bool(junit) or update, dry_run or yes, update)
    if update:
        require_confirmation("feeds test --update", dry_run, yes)
    with report_errors():
        chosen, folder = _contracts(contract, feeds)
        if files:
            is_good = _try_files(chosen[0], files, main_size or 0, show, as_json)
        else:
            is_good = _run_cases(chosen, folder, contract is None, junit, update, dry_run, yes, as_json)
    if not is_good:
        raise typer.Exit(FAILED)


def _require_sense(has_files: bool, is_for_files: bool, is_for_cases: bool, is_for_update: bool, update: bool) -> None:
    if has_files and is_for_cases:
        usage_error("--junit and --update are for cases: name no file")
    if is_for_files and not has_files:
        usage_error("--main-size and --show are for files: name one")
    if is_for_update and not update:
        usage_error("--yes and --dry-run are for --update: without it nothing is written")


def _contracts(named: str | None, folder: Path) -> tuple[list[Feed], Path]:
    """The contract of this name or file, or all; and the folder that it is in. Raises ContractError, UsageError."""
    path = Path(named) if named else None
    if path and path.suffix in (".yaml", ".yml"):
        from services.shared.contract.reader import read_feed

        if not path.is_file():
            raise UsageError(f"{named}: no such contract")
        return [read_feed(path)], path.parent
    return choose_contracts(folder, named), folder


def _try_files(feed: Feed, files: Sequence[Path], main_bytes: float, show: int, as_json: bool) -> bool:
    """Whether all is good."""

    def work(sandbox: Sandbox, tell: Tell) -> tuple[list[Tried], list[str], list[list[Any]]]:
        from dropmerge.operations.trial.files import Trial

        trial: Trial = Trial(sandbox, feed, "local", main_bytes, tell=tell)
        return trial.run(files), *(trial.rows(show) if show else ([], []))

    tried, columns, rows = in_sandbox(work)
    if as_json:
        answer = {"feed": feed.name, "contract": feed.fingerprint, "files": [_as_json(one) for one in tried]}
        shown = {"table": [_named(columns, row) for row in rows]} if show else {}
        typer.echo(json.dumps({**answer, **shown}, indent=2, ensure_ascii=False))
    else:
        typer.echo(f"{feed.name}, contract {feed.fingerprint}")
        for one in tried:
            _print(feed, one)
        if show:
            _print_rows(columns, rows)
    return all(one.read.is_good for one in tried)


def _print(feed: Feed, one: Tried) -> None:
    created = f"{one.created:%Y-%m-%d %H:%M:%S} UTC ({one.created_by})"
    typer.echo(escape_unprintable(f"{one.file}, as if created {created}"))
    for line in trial_words.lines(feed, one.read, one.effect, one.price):
        typer.echo(f"  {escape_unprintable(line)}")


def _as_json(one: Tried) -> dict[str, Any]:
    about = {"file": one.file, "created": one.created.isoformat(), "created_by": one.created_by}
    return {**about, **trial_words.as_json(one.read, one.effect, one.price)}


def _named(columns: Sequence[str], row: Sequence[Any]) -> dict[str, str | None]:
    from dropmerge.operations.trial.texts import text_of

    return dict(zip(columns, map(text_of, row), strict=True))


def _print_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    shown = table(*columns)
    for row in rows:
        shown.add_row(*(escape_unprintable(text or "") for text in _named(columns, row).values()))
    print_table(shown)


def _run_cases(
    feeds: Sequence[Feed],
    folder: Path,
    is_all: bool,
    junit: Path | None,
    update: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> bool:
    """Whether all have passed, or were updated."""
    from dropmerge.operations.trial.cases import FOLDER, find_cases, refuse_strays
    from dropmerge.operations.trial.junit import junit_xml

    if is_all:
        refuse_strays(feeds, folder)
    cases = find_cases(feeds, folder)
    if not cases:
        names = ", ".join(feed.name for feed in feeds)
        raise UsageError(f"no cases of {names}: create {folder / FOLDER}/FEED/CASE/ with files and expected.csv")
    outcomes = in_sandbox(lambda sandbox, tell: _outcomes(sandbox, cases, tell))
    if junit:
        junit.write_bytes(junit_xml(outcomes))
    if as_json:
        typer.echo(json.dumps(_cases_as_json(outcomes), indent=2, ensure_ascii=False))
    else:
        _print_outcomes(outcomes)
    changes = {path: text for one in outcomes for path, text in one.changes().items()}
    if update:
        _update(changes, dry_run, yes)
        return True
    return not any(one.differences for one in outcomes)


def _outcomes(sandbox: Sandbox, cases: Sequence[Case], tell: Tell) -> list[Outcome]:
    from dropmerge.operations.trial.cases import run_case

    found = []
    for number, case in enumerate(cases, 1):
        where = f"case {number} of {len(cases)}, {case.name}"
        tell(where)
        found.append(run_case(sandbox, case, f"case-{number}"))
    return found


def _print_outcomes(outcomes: Sequence[Outcome]) -> None:
    for one in outcomes:
        typer.echo(f"{'FAILED' if one.differences else 'passed'}  {one.case.name}  {one.seconds:.1f} s")
        for line in shorten_list(one.differences):
            typer.echo(f"    {escape_unprintable(line)}")
    failed = sum(bool(one.differences) for one in outcomes)
    typer.echo(f"{pluralize(len(outcomes), 'case')}, {failed or 'none'} failed")


def _cases_as_json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    cases = [
        {
            "feed": one.case.feed.name,
            "case": one.case.folder.name,
            "passed": not one.differences,
            "seconds": round(one.seconds, 3),
            "differences": list(one.differences),
        }
        for one in outcomes
    ]
    return {"cases": cases, "failed": sum(not case["passed"] for case in cases)}


def _update(changes: Mapping[Path, str | None], dry_run: bool, yes: bool) -> None:
    for path, text in changes.items():
        typer.echo(f"{'to be deleted' if text is None else 'to be written'}: {path}", err=True)
    if not changes or dry_run:
        typer.echo("nothing was written", err=True)
        return
    if not yes:
        confirm(f"write {pluralize(len(changes), 'file')}?")
    for path, text in changes.items():
        if text is None:
            with suppress(FileNotFoundError):
                path.unlink()
        else:
            path.write_text(text, encoding="utf-8", newline="")
