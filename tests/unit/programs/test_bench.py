"""The benchmark: every scenario finds right tables and figures, wrong rows are counted, the page is made of its JSON.

No figure is judged here: a busy machine misses any.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest
from rich.console import Console
from typer.testing import CliRunner

from tests.programs.bench import __main__ as program
from tests.programs.bench import page, scenarios
from tests.programs.bench.figures import Figure, Found, Wrong, figures_of, found, ratios, wrong_of
from tests.programs.bench.options import Options
from tests.programs.bench.parts import DUCKDB, PARTS, THE_REST
from tests.programs.bench.profile import PROCESSES
from tests.programs.bench.scenarios import SCENARIOS, Scenario
from tests.programs.bench.steps import STEPS
from tests.programs.bench.wrong_rows import as_wrong, in_duckdb, statement

# Of Google's client, about what a benchmark of pulls has no use for: waiting.
pytestmark = pytest.mark.filterwarnings("ignore:The return_immediately flag:DeprecationWarning")

_TINY = Options(times=1, quick=True, with_rivals=False, size=5)
_SCENARIOS = [name for name in SCENARIOS if name != "bigquery"]
"""tests/faults/test_bills_of_bigquery.py has the other."""
_EXPECTED = """customer_id,account_number,credit_score,account_balance,last_modified
a,1,700,1.5,2025-01-02T00:00:00Z
b,1,700,12345678901234567.123456789,2025-01-02T00:00:00Z
c,1,,,2025-01-02T00:00:00Z
NA,007,700,1.5,2025-01-02T00:00:00Z
"""


@pytest.fixture(scope="module")
def report() -> page.Report:
    """Of all scenarios, as it is read from JSON."""
    measured = program.measured(_SCENARIOS, _TINY, Console(quiet=True))
    again: page.Report = json.loads(json.dumps(measured))
    return again


@pytest.mark.slow
@pytest.mark.parametrize("name", _SCENARIOS)
def test_a_scenario_finds_right_tables_and_figures(report: page.Report, name: str) -> None:
    one = report["scenarios"][name]
    assert one.get("is_right", True)
    assert SCENARIOS[name].section(one, None).strip()
    figures = figures_of(one)
    assert all(value > 0 for figure in figures for value in figure.values)
    assert len({figure.key for figure in figures}) == len(figures)


@pytest.mark.slow
def test_neither_dropmerge_nor_its_statements_by_hand_have_a_wrong_row(report: page.Report) -> None:
    wrong = wrong_of(report["scenarios"]["large"])
    assert [one.who for one in wrong] == ["dropmerge", "the same statements by hand"]
    assert [one.total for one in wrong] == [0, 0]
    assert all(one.rows > 20 for one in wrong)  # the files have more than the generator's five


@pytest.mark.slow
def test_a_burst_s_merges_are_counted(report: page.Report) -> None:
    (merges,) = [one for one in figures_of(report["scenarios"]["burst"]) if one.unit == "MERGEs"]
    assert 1 <= merges.value <= 5


@pytest.mark.slow
def test_the_profile_has_each_step_each_process_and_where_it_may_look_each_part(report: page.Report) -> None:
    profile = report["scenarios"]["profile"]
    text = SCENARIOS["profile"].section(profile, None)
    assert list(profile["workloads"]) == ["5 small files", "one of 25 rows"]
    assert all(f"\n| {step} | {until} | " in text for step, until in STEPS.items())
    for one in profile["workloads"].values():
        assert list(one["steps"]) == list(STEPS)
        assert min(one["steps"].values()) >= 0
        assert list(one["cpu"]) == list(PROCESSES)
        assert one["cpu"]["warehouse"] > 0
        if one["shares"] is None:
            assert "py-spy is not installed, or may not attach" in text
            continue
        assert one["shares"]["warehouse"][DUCKDB] > 0
        for process, parts in PARTS.items():
            found = one["shares"][process]
            assert not found or list(found) == [*parts, THE_REST]
            assert not found or sum(found.values()) == pytest.approx(1)
            assert all(f"\n| {process} | {part} | " in text for part in (*parts, THE_REST))


@pytest.mark.slow
def test_the_tables_have_each_figure_beside_the_one_before(report: page.Report) -> None:
    text = page.made(report, report)
    for name in _SCENARIOS:
        assert f"### {SCENARIOS[name].title}\n" in text
        for one in figures_of(report["scenarios"][name]):
            (line,) = [line for line in text.splitlines() if line.startswith(f"| {one.what} | {one.who} |")]
            before, after = line.split(" | ")[3:5]
            assert after == f"**{before}**"


@pytest.mark.parametrize(
    ("rows", "counted"),
    [
        ({}, {}),
        ({"a": "('a', '1', 600, 1.5, '2025-01-01T00:00:00Z')"}, {"stale": 1}),
        ({"b": "('b', '1', 700, 12345678901234568, '2025-01-02T00:00:00Z')"}, {"money": 1}),
        ({"b": "('b', '1', 700, NULL, '2025-01-02T00:00:00Z')"}, {"money": 1}),
        ({"c": "('c', '1', 300, NULL, '2025-01-02T00:00:00Z')"}, {"other": 1}),
        ({"c": "('c', '1', NULL, NULL, '2025-01-03T00:00:00Z')"}, {"other": 1}),
        ({"c": "('c', '1', NULL, NULL, NULL)"}, {"other": 1}),
        ({"NA": ""}, {"lost": 1}),
        ({"NA": "(NULL, '007', 700, 1.5, '2025-01-02T00:00:00Z')"}, {"lost": 1, "added": 1}),
        ({"NA": "('NA', '7', 700, 1.5, '2025-01-02T00:00:00Z')"}, {"lost": 1, "added": 1}),
        ({"more": "('d', '1', 700, 1.5, '2025-01-02T00:00:00Z')"}, {"added": 1}),
        ({"more": "('a', '1', 700, 1.5, '2025-01-02T00:00:00Z')"}, {"added": 1}),
    ],
)
def test_a_wrong_row_is_counted_once_as_what_it_is(
    tmp_path: Path, rows: Mapping[str, str], counted: Mapping[str, int]
) -> None:
    """`rows` take the place of right ones."""
    path = tmp_path / "expected.csv"
    path.write_text(_EXPECTED)
    right = {
        "a": "('a', '1', 700, 1.5, '2025-01-02T00:00:00Z')",
        "b": "('b', '1', 700, 12345678901234567.123456789, '2025-01-02T00:00:00Z')",
        "c": "('c', '1', NULL, NULL, '2025-01-02T00:00:00Z')",
        "NA": "('NA', '007', 700, 1.5, '2025-01-02T00:00:00Z')",
    }
    with duckdb.connect() as database:
        database.execute(
            "CREATE TABLE found (customer_id VARCHAR, account_number VARCHAR, credit_score BIGINT, "
            "account_balance DECIMAL(38, 9), last_modified TIMESTAMPTZ)"
        )
        database.execute(f"INSERT INTO found VALUES {', '.join(filter(None, {**right, **rows}.values()))}")
        answer = database.execute(statement("found", in_duckdb(path)))
        names = [one[0] for one in answer.description]
        (row,) = answer.fetchall()
    none = {"stale": 0, "money": 0, "other": 0, "lost": 0, "added": 0}
    assert as_wrong("w", "who", dict(zip(names, row, strict=True))) == Wrong("w", "who", 4, **{**none, **counted})


def test_a_figure_is_its_values_quantile_and_is_held_against_its_target() -> None:
    values = [4.0, 1.0, 3.0, 2.0]
    assert Figure("w", "who", "s", values).value == 2.5
    assert Figure("w", "who", "s", values, quantile=0.99).value == pytest.approx(3.97)
    assert Figure("w", "who", "s", [7.0], quantile=0.99).value == 7.0
    assert Figure("w", "who", "s", values).is_met is None
    assert Figure("w", "who", "s", values, at_most=2.5).is_met is True
    assert Figure("w", "who", "s", values, at_most=2.4).is_met is False
    assert Figure("w", "who", "s", values, at_least=2.6).is_met is False


def test_ratios_are_taken_pair_by_pair() -> None:
    assert ratios([2.0, 9.0], [1.0, 3.0]) == [2.0, 3.0]


def test_the_page_keeps_its_prose_and_has_new_tables() -> None:
    before = f"first\n{page.BEGIN}old\n{page.END}last\n"
    after = page.with_tables(before, "new\n")
    assert (after.startswith("first\n"), after.endswith("last\n"), "old" in after) == (True, True, False)
    assert page.tables_of(after) == "new\n"
    assert page.with_tables(after, "new\n") == after


def test_the_page_s_tables_are_made_of_the_committed_report() -> None:
    """After a change of how tables are made: `python -m tests.programs.bench report docs/performance/report.json`."""
    before = page.read(page.BEFORE) if page.BEFORE.exists() else None
    made = page.made(page.read(page.REPORT), before)
    assert page.tables_of(page.PAGE.read_text(encoding="utf-8")) == made


@pytest.mark.parametrize("is_right", [True, False])
def test_only_a_wrong_table_fails_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_right: bool) -> None:
    def measure(_: Options) -> Found:
        return found([Figure("w", "who", "s", [9.0], at_most=1.0)], is_right)

    monkeypatch.setitem(scenarios.SCENARIOS, "missed", Scenario("Missed", measure))
    written = tmp_path / "report.json"
    ran = CliRunner().invoke(program.app, ["--only", "missed", "--json", str(written)])
    assert ran.exit_code == (0 if is_right else 1), ran.output
    assert list(page.read(written)["scenarios"]) == ["missed"]
    assert "9 s" in ran.stdout


def test_an_unknown_scenario_is_refused() -> None:
    ran = CliRunner().invoke(program.app, ["--only", "larch"])
    assert ran.exit_code == 2
    assert "no scenario larch" in ran.stderr
