"""An operator's incidents, each with the commands as typed: three at most to know what it is, and three to cure it.

A command that an output names is typed as it is named there. Other incidents are replayed elsewhere: merge, Pub/Sub or
the warehouse is down (test_status.py, test_no_answer.py), somebody else replays at the same time
(terminal/test_questions.py), a column is added (test_changing_a_feed.py), a contract is tried in CI, and what a file's
MERGE would cost (test_trial.py).
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.harness.commands import Commands
from tests.harness.dead_letters import empty_dead_letters
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription

RENAMED = HEADER.replace("credit_score", "score")
_MOST = 3


class Operator:
    """Types commands and counts them."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._typed = Counter[str]()

    def know(self, line: str, code: int = 0) -> str:
        """Type a command that looks; returns what it says."""
        return self._type("to know", line, code)

    def cure(self, line: str, code: int = 0) -> str:
        """Type a command that changes something; returns what it says."""
        return self._type("to cure", line, code)

    def _type(self, why: str, line: str, code: int) -> str:
        self._typed[why] += 1
        assert self._typed[why] <= _MOST, f"command {self._typed[why]} {why}: {line}"
        name, *words = shlex.split(line)
        assert name == "dropmerge"
        done = self._commands.run(*words, code=code)
        return f"{done.stdout}\n{done.stderr}"


@pytest.fixture
def operator(commands: Commands, pipeline: Pipeline) -> Operator:
    empty_dead_letters(pipeline)
    return Operator(commands)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which commands are typed."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def named(said: str, beginning: str) -> str:
    """The command that an output names."""
    found = re.search(rf"(?:^ *|`|next: |→ ){re.escape(beginning)}[^`;#\n]*", said, re.MULTILINE)
    assert found, f"no `{beginning}` in: {said}"
    return found[0].removeprefix("next: ").strip(" `→")


def drop_and_wait(pipeline: Pipeline, name: str, data: str, feed: str = "incident") -> str:
    uri = pipeline.drop(name, data, feed)
    pipeline.wait_until_idle()
    return uri


def score(pipeline: Pipeline, key: str) -> int | None:
    return pipeline.scores([key], "incident").get(key)


def test_the_supplier_renames_a_column(pipeline: Pipeline, operator: Operator, home: Path) -> None:
    drop_and_wait(pipeline, "renamed.csv", RENAMED + row("renamed", 640))
    said = operator.know("dropmerge status")
    assert "incident: 1 dead letter (wrong_header)" in said
    operator.know(named(said, "dropmerge dead-letters list --feed incident"))
    said = operator.know("dropmerge dead-letters show renamed.csv")
    assert "column 'score' is not in the contract (did you mean credit_score?)" in said
    (home / "renamed.csv").write_text(HEADER + row("renamed", 640))
    assert "merged  1 row" in operator.cure("dropmerge drop renamed.csv --feed incident --wait --yes")
    assert "discarded 1 dead letter" in operator.cure(named(said, "dropmerge dead-letters discard") + " --yes")
    assert score(pipeline, "renamed") == 640


def test_half_of_the_rows_are_bad(pipeline: Pipeline, operator: Operator, home: Path) -> None:
    drop_and_wait(pipeline, "half.csv", HEADER + row("half-good", 651) + row("half-bad", "high"))
    said = operator.know("dropmerge explain half.csv")
    assert "1 of 2 rows failed their checks, the feed tolerates 0: 1 not_an_integer: credit_score" in said
    assert '"high"' in operator.know(named(said, "dropmerge rejected half.csv"))
    said = operator.cure(named(said, "dropmerge rejected half.csv --csv").replace("FILE", "fixes.csv"))
    fixes = home / "fixes.csv"
    fixes.write_text(fixes.read_text().replace("high", "652"))
    operator.cure(named(said, "dropmerge drop --feed incident fixes.csv") + " --wait --yes")
    operator.cure(named(said, "dropmerge dead-letters discard") + " --yes")
    assert pipeline.scores(["half-good", "half-bad"], "incident") == {"half-good": 651, "half-bad": 652}


def test_a_file_is_sent_twice(pipeline: Pipeline, operator: Operator) -> None:
    first = drop_and_wait(pipeline, "twice.csv", HEADER + row("twice", 653))
    drop_and_wait(pipeline, "twice.csv", HEADER + row("twice", 653))
    assert f"the same bytes: {first}, merged at " in operator.know("dropmerge explain twice.csv")
    assert score(pipeline, "twice") == 653


@pytest.mark.parametrize("folder", ["incoming/incidnet", "elsewhere"])
def test_a_file_is_in_the_wrong_folder(pipeline: Pipeline, operator: Operator, home: Path, folder: str) -> None:
    """Under incoming/ it is a dead letter, elsewhere it is ignored, and `status` reports both."""
    name = f"{folder.rpartition('/')[2]}.csv"
    pipeline.connection.storage.bucket("landing").blob(f"{folder}/{name}").upload_from_string(HEADER + row(name, 654))
    pipeline.wait_until_idle()
    said = operator.know("dropmerge status")
    assert ("no_feed" if folder.startswith("incoming") else "ignored in 24 h") in said
    said = operator.know(f"dropmerge explain {name}")
    assert re.search(r"no feed's pattern\s+matches", said)
    if folder.startswith("incoming"):
        assert re.search(r"\(incident:\s+incoming/incident/\*,", said), "first the one that was meant"
    (home / name).write_text(HEADER + row(name, 654))
    operator.cure(f"dropmerge drop {name} --feed incident --wait")
    if folder.startswith("incoming"):
        operator.cure(named(said, "dropmerge dead-letters discard") + " --yes")
    assert score(pipeline, name) == 654


def test_a_large_file_takes_its_time(pipeline: Pipeline, operator: Operator) -> None:
    with paused_subscription(pipeline, "merge"):
        pipeline.drop("large.csv", HEADER + "".join(row(f"large-{n}", 655) for n in range(20_000)), "incident")
        said = operator.know("dropmerge wait --timeout 3", code=1)
        assert "large.csv#" in said
        said = operator.know("dropmerge explain large.csv")
        assert "dropmerge wait" in said
    assert "nothing is in flight" in operator.know("dropmerge wait")
    assert score(pipeline, "large-19999") == 655


def test_a_row_is_old_and_another_is_missing(pipeline: Pipeline, operator: Operator, home: Path) -> None:
    """Both are in a file that is a dead letter: asked for the row, it is the file's story that is told."""
    drop_and_wait(pipeline, "first.csv", HEADER + row("old", 656))
    pipeline.drop("nothing.csv", "", "incident")
    drop_and_wait(pipeline, "second.csv", RENAMED + row("old", 657, day=2) + row("missing", 658))
    said = operator.know("dropmerge explain --feed incident --row customer_id=old account_number=a")
    assert "newer than the table's" in said
    assert "It is not merged because the file is dead letter" in said
    said = operator.know("dropmerge explain --feed incident --row customer_id=missing account_number=a")
    assert "main.incident has no row with this key" in said
    assert "second.csv has this row in record 2" in said
    assert "is empty and does not have this key" in said
    assert "may have this key" not in said
    show = named(said, "dropmerge dead-letters show")
    discard = named(operator.know(show), "dropmerge dead-letters discard")
    (home / "second.csv").write_text(HEADER + row("old", 657, day=2) + row("missing", 658))
    operator.cure("dropmerge drop second.csv --feed incident --wait --yes")
    operator.cure(f"{discard} --yes")
    assert pipeline.scores(["old", "missing"], "incident") == {"old": 657, "missing": 658}


def test_three_kinds_of_dead_letters(pipeline: Pipeline, operator: Operator) -> None:
    """Some are replayed under a new contract, and said to have been merged; others are discarded."""
    pipeline.drop("latin.csv", (HEADER + row("Zoë", 659)).encode("latin-1"), "incident")
    pipeline.drop("empty.csv", "", "incident")
    drop_and_wait(pipeline, "header.csv", RENAMED + row("header", 660))
    said = operator.know("dropmerge dead-letters list --feed incident")
    assert "3 dead letters are waiting: " in said
    assert "write encoding: windows-1252" in said
    contract = pipeline.connection.feeds_folder / "incident.yaml"
    contract.write_text(contract.read_text().replace('delimiter: ","', 'delimiter: ",", encoding: windows-1252'))
    said = operator.know("dropmerge status")
    assert "run another contract of incident than the one in your folder" in said
    operator.cure(named(said, "dropmerge up --restart"))
    pipeline.connect()
    replay = "dropmerge dead-letters replay --feed incident --reason wrong_encoding --wait --yes"
    assert "1 merged" in operator.cure(replay)
    said = operator.cure("dropmerge dead-letters discard --feed incident --why 'not wanted' --yes")
    assert "discarded 2 dead letters" in said
    assert score(pipeline, "Zoë") == 659


def test_a_discard_was_a_mistake(pipeline: Pipeline, commands: Commands, operator: Operator) -> None:
    """`wait` and whoever replays the old one say what has become of it, also once it is discarded again."""
    uri = drop_and_wait(pipeline, "mistake.csv", RENAMED + row("mistake"))
    old = pipeline.dead_letter(uri).id
    discard = "dropmerge dead-letters discard --feed incident --why oops --yes"
    said = operator.cure(discard)
    undo = named(said, f"dropmerge dead-letters undo {old}")
    assert "  discarded  wrong_header: oops" in commands.run("wait").stdout
    late = operator.know(f"dropmerge dead-letters replay --id {old} --yes", code=1)
    assert f"dead letter {old} is not waiting: discarded by " in late
    assert named(operator.know("dropmerge explain mistake.csv"), "dropmerge dead-letters undo") == undo
    operator.cure(f"{undo} --yes")
    new = pipeline.dead_letter(uri).id
    (line,) = [one for one in commands.run("wait", "--strict", code=1).stdout.splitlines() if "mistake.csv" in one]
    assert "  dead-lettered  wrong_header: the header does not match" in line
    assert line.endswith(f" → dropmerge dead-letters show {new}")
    operator.cure(discard.replace("oops", "again"))
    assert "mistake.csv  discarded  wrong_header: again" in commands.run("wait").stdout


def test_an_auditor_wants_to_know_who_did_what(pipeline: Pipeline, operator: Operator, commands: Commands) -> None:
    drop_and_wait(pipeline, "audited.csv", RENAMED)
    commands.run("dead-letters", "discard", "--feed", "incident", "--why", "the supplier's test", "--yes")
    *_, last = operator.know("dropmerge audit --since 1d --csv").strip().splitlines()
    assert ",discarded 1 dead letter,incident,the supplier's test,wrong_header," in last


def test_a_month_is_loaded_again(pipeline: Pipeline, operator: Operator) -> None:
    """Into a table beside the live one, from the files that were dropped then: to look at, or to copy from."""
    before = datetime.now(UTC)
    drop_and_wait(pipeline, "january.csv", HEADER + row("january", 661))
    until = datetime.now(UTC) + timedelta(milliseconds=1)
    drop_and_wait(pipeline, "february.csv", HEADER + row("january", 662, day=31) + row("february", 663))
    rebuild = f"dropmerge rebuild incident --into main.january --since {before:%FT%T.%fZ} --until {until:%FT%T.%fZ}"
    assert "1 file in the archive" in operator.know(f"{rebuild} --dry-run")
    operator.cure(f"{rebuild} --yes")
    rows = pipeline.connection.rows("SELECT customer_id, credit_score FROM `main.january`")
    assert [tuple(one) for one in rows] == [("january", 661)]


def test_a_customer_is_deleted(pipeline: Pipeline, operator: Operator, home: Path) -> None:
    """By a delete row. The values stay in files, as before: to erase them there is no command yet."""
    drop_and_wait(pipeline, "customer.csv", HEADER + row("customer", 664))
    (home / "delete.csv").write_text(HEADER + row("customer", "", day=2, operation="D"))
    operator.cure("dropmerge drop delete.csv --feed incident --wait")
    said = operator.know("dropmerge explain --feed incident --row customer_id=customer account_number=a")
    assert "deleted in main.incident" in said
    assert score(pipeline, "customer") is None


def test_a_feed_is_added(pipeline: Pipeline, operator: Operator, home: Path) -> None:
    """By a draft from a sample, a restart, a drop: each output names the next command."""
    (home / "prices.csv").write_text("Product ID,Price (EUR)\n7,1.50\n8,2.50\n")
    said = operator.cure("dropmerge feeds init prices.csv --write")
    assert "keeps 2 of 2 rows" in said
    operator.cure(named(said, "dropmerge up --restart"))
    pipeline.connect()
    assert "merged  2 rows" in operator.cure(named(said, "dropmerge drop prices.csv") + " --wait")
    assert "all 2 rows of main.prices_current" in operator.know("dropmerge rows prices")


def test_whoever_is_asked_about_the_day_has_figures(pipeline: Pipeline, operator: Operator) -> None:
    """How much came, how long it took; and what cron, or a probe, is told of what needs somebody."""
    drop_and_wait(pipeline, "day.csv", RENAMED)
    said = operator.know("dropmerge history --since 1d --by hour")
    assert said.startswith("hour (UTC)\tfiles\trows\trejected\tdead\tp50\tp95\tbilled\n")
    said = operator.know("dropmerge status --check", code=1)
    assert "incident: 1 dead letter (wrong_header)" in said
    assert "day.csv" in operator.know(named(said, "dropmerge dead-letters list --feed incident"))
    operator.cure("dropmerge dead-letters discard --feed incident --why 'a test' --yes")
