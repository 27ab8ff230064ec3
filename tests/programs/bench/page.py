"""docs/performance.md: its prose is written by hand, and the tables between its two marks are made here."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from deploy.topology import ROOT
from tests.programs.bench.scenarios import SCENARIOS

PAGE = ROOT / "docs" / "performance.md"
FOLDER = ROOT / "docs" / "performance"
REPORT, BEFORE = FOLDER / "report.json", FOLDER / "before.json"
BEGIN, END = "<!-- begin: made by make bench-report -->\n", "<!-- end -->\n"
PLOTTER = ROOT / ".venv-bench" / "bin" / "python"

Report = dict[str, Any]
"""`machine`, `options`, and by name the `scenarios` that were measured."""


def read(path: Path) -> Report:
    report: Report = json.loads(path.read_text(encoding="utf-8"))
    return report


def write(path: Path, report: Report) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def rebuild(report: Report, before: Report | None) -> None:
    """The committed JSON, the tables and the plots of these two runs."""
    write(REPORT, report)
    if before is None:
        BEFORE.unlink(missing_ok=True)
    else:
        write(BEFORE, before)
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), made(report, before)), encoding="utf-8")
    subprocess.run([PLOTTER, "-m", "tests.programs.bench.plots", REPORT, FOLDER], cwd=ROOT, check=True)


def with_tables(page: str, tables: str) -> str:
    """The page with these tables between its marks, and all else as it is."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    assert tail, f"{PAGE.name} has no marks"
    return f"{head}{BEGIN}\n{tables}\n{END}{tail}"


def tables_of(page: str) -> str:
    """What is between its marks."""
    return page.partition(BEGIN)[2].partition(END)[0].strip("\n") + "\n"


def made(report: Report, before: Report | None) -> str:
    """The tables of all scenarios that were measured, in the registry's order."""
    earlier = before["scenarios"] if before else {}
    sections = [
        f"### {scenario.title}\n\n{scenario.section(report['scenarios'][name], earlier.get(name))}"
        for name, scenario in SCENARIOS.items()
        if name in report["scenarios"]
    ]
    return "\n".join([_measured_on(report, "Measured on"), *sections])


def _measured_on(report: Report, begin: str) -> str:
    machine, options = report["machine"], report["options"]
    size = " with small sizes (`QUICK=1`)" if options["quick"] else ""
    times = "once" if options["times"] == 1 else f"{options['times']} times"
    return (
        f"{begin} {machine['cores']} cores and {machine['memory in GB']} GB of memory, Python {machine['Python']}, "
        f"{times}{size}. A figure is the median unless it says otherwise.\n"
    )
