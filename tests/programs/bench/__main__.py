"""What dropmerge costs on this machine, beside what people use instead: `python -m tests.programs.bench`.

Exits 1 when a table of dropmerge was not the expected one. A target that is missed is only shown.
"""

from __future__ import annotations

import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn

from tests.programs.bench import machine, page
from tests.programs.bench.options import Options
from tests.programs.bench.rival import are_installed
from tests.programs.bench.scenarios import SCENARIOS

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def measured(names: list[str], options: Options, say: Console) -> page.Report:
    """Each of these scenarios, one after the other."""
    found = {}
    columns = (SpinnerColumn(), "{task.description}", TimeElapsedColumn())
    with Progress(*columns, console=say) as progress:
        for name in names:
            task, started = progress.add_task(name, total=1), time.monotonic()
            found[name] = SCENARIOS[name].measure(options)
            progress.remove_task(task)
            say.print(f"{name}: measured in {time.monotonic() - started:.0f} s")
    return {"machine": machine.describe(), "options": asdict(options), "scenarios": found}


@app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes, once each: some minutes in all.")] = False,
    only: Annotated[list[str] | None, typer.Option(metavar="SCENARIO", help=f"One of {', '.join(SCENARIOS)}.")] = None,
    times: Annotated[int | None, typer.Option(min=1, help="Repetitions: 5, or 1 with --quick.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write what was found.")] = None,
) -> None:
    """Measure, and show the tables."""
    if context.invoked_subcommand:
        return
    if unknown := set(only or []) - set(SCENARIOS):
        raise typer.BadParameter(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    say = Console(stderr=True)
    options = Options(times or (1 if quick else 5), quick, are_installed())
    if not options.with_rivals:
        say.print("without the rivals: `make bench` makes their environments")
    # A local cloud ends with its block, which SIGTERM alone would not.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report = measured([name for name in SCENARIOS if not only or name in only], options, say)
    if json_file:
        page.write(json_file, report)
    Console().print(Markdown(page.made(report, None)))
    if not all(one.get("is_right", True) for one in report["scenarios"].values()):
        say.print("a table was not as expected")
        raise typer.Exit(1)


@app.command()
def report(
    found: Annotated[Path, typer.Argument(metavar="REPORT", help="What --json wrote.")],
    before: Annotated[Path | None, typer.Option(metavar="FILE", help="Of an earlier release.")] = None,
) -> None:
    """Write docs/performance.md and its plots from what was measured."""
    page.rebuild(page.read(found), page.read(before) if before else None)


if __name__ == "__main__":
    app()
