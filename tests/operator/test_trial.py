"""`dropmerge feeds test` and `preview` say what files would do, and nothing else does."""

from __future__ import annotations

import gzip
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import parse

import pytest

from deploy.topology import ROOT
from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone
from dropmerge.operations.trial.effect import Effect, expected_effect
from dropmerge.operations.trial.files import Trial, Tried
from dropmerge.operations.trial.preview import preview
from dropmerge.operations.trial.sandbox import Sandbox, sandbox
from services.shared.contract.feed import Feed
from services.shared.contract.reader import read_feed
from tests.harness.commands import Commands
from tests.harness.faults.calls import Error, Fault, Script
from tests.harness.faults.http_proxy import HttpProxy
from tests.harness.feeds import NUMBERS
from tests.harness.pipeline import HEADER, Pipeline, row

_FEEDS = ROOT / "deploy" / "feeds"
_PAGE = (ROOT / "docs" / "testing-a-contract.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with sandbox(lambda: False) as box:
        yield box


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The contract of accounts, for objects that ingest does not hear of."""
    folder = tmp_path_factory.mktemp("elsewhere")
    text = (_FEEDS / "accounts.yaml").read_text().replace("incoming/accounts/*", "elsewhere/*")
    (folder / "accounts.yaml").write_text(text)
    return folder


def _write(folder: Path, **files: str) -> list[Path]:
    paths = []
    for name, text in files.items():
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text(text)
    return paths


def test_files_are_read_and_merged_one_after_the_other(commands: Commands, tmp_path: Path) -> None:
    """Whatever of the local cloud is up: the command's warehouse is its own."""
    files = _write(
        tmp_path,
        first=HEADER + row("t1") + row("t2") + row("t2", day=2) + row("t3"),
        second=HEADER + row("t1", 710, 3) + row("t2") + row("t3", day=3, operation="D") + row("t9", operation="D"),
        bad=HEADER + row("t4") + row("t5", "high") + row("t6", 10, 1, balance="x"),
        wrong="id,amount\n1,2\n",
        empty="",
    )
    os.utime(files[1], (1, 1))
    found = commands.json("feeds", "test", "accounts", *files, "--main-size", "100GiB", "--show", 9, code=1)
    first, second, bad, wrong, empty = found["files"]
    assert first["effect"] == _effect(inserted=3, repeated=1)
    assert (first["rows"], first["rejected_rows"], first["deletes"]) == (4, 0, 0)
    assert len(first["header"]["found"]) == 5
    assert first["price"]["bytes_billed"] > 100 * 2**30
    assert (first["created_by"], second["created_by"]) == ("modification time", "the file before")
    assert second["effect"] == _effect(updated=1, deleted=1, tombstones=1, ignored=1)
    assert bad["reasons"] == dict.fromkeys(
        ("check_failed: credit_score", "not_a_number: account_balance", "not_an_integer: credit_score"), 1
    )
    assert {"not_an_integer: credit_score": "high"} in [one["reasons"] for one in bad["rejected"]]
    assert (bad["rows"], bad["rejected_rows"], bad["effect"]) == (3, 2, None)
    assert [one["fault"]["reason"] for one in (bad, wrong, empty)] == [
        "too_many_bad_rows",
        "wrong_header",
        "empty_file",
    ]
    assert "none of the 2 names in the first line is a column of the contract" in wrong["fault"]["error"]
    assert [(one["customer_id"], one["credit_score"], one["account_balance"]) for one in found["table"]] == [
        ("t1", "710", "1.5"),
        ("t2", "700", "1.5"),
    ]


def _effect(**numbers: int) -> dict[str, int]:
    names = ("inserted", "updated", "deleted", "tombstones", "ignored", "repeated")
    return {**dict.fromkeys(names, 0), **numbers}


class _Both(Trial):
    """Counts what a load would do before it is merged, too."""

    def _merged(self, tried: Tried, staged: Any, size: int) -> Tried:
        main = f"{self.project}.{self.feed.table}"
        there = self._warehouse.find_table(main)
        expected = expected_effect(self._warehouse, self.feed, staged, main if there else None)
        merged = super()._merged(tried, staged, size)
        assert merged.effect == expected
        return merged


def test_what_a_merge_would_do_is_what_it_does(box: Sandbox, tmp_path: Path) -> None:
    """The numbers of a preview are those of the MERGE; of equal versions the newer file wins, and a delete first."""
    files = _write(
        tmp_path,
        a=HEADER + row("1") + row("2", day=5) + row("3") + row("3", 701),
        b=HEADER + row("1", 705) + row("2", 705) + row("3", operation="D") + row("3", 702) + row("4", operation="D"),
        c=HEADER + row("3", 650) + row("4", 650, day=9) + row("5"),
        d=HEADER,
    )
    (tmp_path / "e.csv.gz").write_bytes(gzip.compress((HEADER + row("6")).encode()))
    found = _Both(box, _accounts(), "both").run([*files, tmp_path / "e.csv.gz"])
    assert [one.read.fault for one in found] == [None] * 5
    kinds = [one.effect for one in found if one.effect]
    assert [(one.inserted, one.updated, one.deleted, one.tombstones, one.ignored, one.repeated) for one in kinds] == [
        (3, 0, 0, 0, 0, 1),
        (0, 1, 1, 1, 1, 1),
        (3, 0, 0, 0, 0, 0),
        (0, 0, 0, 0, 0, 0),
        (1, 0, 0, 0, 0, 0),
    ]


@pytest.mark.parametrize(
    ("mode", "effects"),
    [
        ({"mode": "append"}, [{"inserted": 2}, {"inserted": 3}]),
        (
            {"mode": "snapshot", "key": ["id"]},
            [{"inserted": 2}, {"inserted": 1, "updated": 1, "deleted": 1, "repeated": 1}],
        ),
    ],
)
def test_what_other_modes_do_is_counted(
    box: Sandbox, tmp_path: Path, mode: dict[str, Any], effects: list[dict[str, int]]
) -> None:
    """Appended rows are all new; a snapshot deletes what it lacks."""
    columns = [{"name": "id", "type": "STRING"}, {"name": "n", "type": "INT64"}]
    contract = {"feed": "things", "objects": "x/*", "format": {"type": "csv"}, "table": "main.things"}
    feed = Feed.model_validate({**contract, "columns": columns, **mode})
    files = _write(tmp_path, a="id,n\nx,1\ny,2\n", b="id,n\ny,3\nz,4\nz,5\n")
    found = _Both(box, feed, f"mode_{mode['mode']}").run(files)
    assert [asdict(one.effect) for one in found if one.effect] == [_effect(**one) for one in effects]


def test_a_snapshot_that_merge_would_refuse_is_refused(box: Sandbox, tmp_path: Path) -> None:
    """And nothing of it is merged before the next file."""
    columns = [{"name": "id", "type": "STRING"}]
    contract = {"feed": "things", "objects": "x/*", "format": {"type": "csv"}, "table": "main.things"}
    feed = Feed.model_validate({**contract, "columns": columns, "mode": "snapshot", "key": ["id"]})
    files = _write(tmp_path, a="id\n1\n2\n3\n", b="id\n1\n", c="id\n1\n2\n")
    found = Trial(box, feed, "too-small").run(files)
    assert [one.read.fault and one.read.fault.reason for one in found] == [None, "snapshot_too_small", None]
    assert [asdict(one.effect) for one in found if one.effect] == [
        _effect(inserted=3),
        _effect(updated=2, deleted=1),
    ]


def _accounts() -> Feed:
    return read_feed(_FEEDS / "accounts.yaml")


def test_the_cases_of_the_projects_own_feeds_pass(commands: Commands) -> None:
    """And a file of outcomes is written for CI."""
    found = commands.json("feeds", "test", "--feeds", _FEEDS)
    assert [one["case"] for one in found["cases"]] == ["deletes", "late_row", "rejected_row", "updates"]
    assert found["failed"] == 0


def test_a_case_whose_rows_are_others_fails_and_update_writes_them(commands: Commands, tmp_path: Path) -> None:
    """Also where a row is rejected that nobody expects."""
    feeds = _copied(tmp_path, "rejected_row")
    case, report = feeds / "tests" / "accounts" / "rejected_row", tmp_path / "report.xml"
    (case / "expected.csv").write_text("customer_id,account_number,credit_score\nc1,a1,701\n")
    (case / "rejected.csv").unlink()
    done = commands.run("feeds", "test", "--feeds", feeds, "--junit", report, code=1)
    assert "expected.csv: customer_id='c1', account_number='a1': credit_score is '700', expected '701'" in done.stdout
    assert (
        "rejected.csv: not expected: file='2_bad.csv', record='3', reasons='missing_value: customer_id'" in done.stdout
    )
    assert "1 case, 1 failed" in done.stdout
    assert parse(report).getroot().attrib["failures"] == "1"
    commands.run("feeds", "test", "accounts", "--feeds", feeds, "--update", "--yes")
    assert (case / "expected.csv").read_text() == "customer_id,account_number,credit_score\nc1,a1,700\n"
    shipped = _FEEDS / "tests" / "accounts" / "rejected_row" / "rejected.csv"
    assert (case / "rejected.csv").read_bytes() == shipped.read_bytes()


def _copied(folder: Path, *cases: str) -> Path:
    """The contract of accounts with some of its cases."""
    feeds = folder / "feeds"
    feeds.mkdir()
    shutil.copyfile(_FEEDS / "accounts.yaml", feeds / "accounts.yaml")
    for case in cases:
        shutil.copytree(_FEEDS / "tests" / "accounts" / case, feeds / "tests" / "accounts" / case)
    return feeds


def test_cases_of_a_feed_that_is_not_there_are_not_passed_over(commands: Commands, tmp_path: Path) -> None:
    feeds = _copied(tmp_path, "late_row")
    (feeds / "tests" / "acounts").mkdir()
    assert "do not exist: acounts" in commands.run("feeds", "test", "--feeds", feeds, code=1).stderr
    commands.run("feeds", "check", "--feeds", feeds)


@pytest.fixture(scope="module")
def merged(pipeline: Pipeline) -> str:
    """A file that the main table has."""
    uri = pipeline.drop("preview.csv", HEADER + row("p1", day=5) + row("p2", day=5))
    pipeline.wait_until_idle()
    return uri


def _everything(pipeline: Pipeline) -> Any:
    """All tables with their rows, and all that the archive has."""
    warehouse, names = pipeline.connection.warehouse, {}
    for dataset in ("main", "staging", "ops"):
        for name in warehouse.list_tables(dataset, ""):
            rows = warehouse.query(f"SELECT TO_JSON_STRING(_t) AS row FROM `{dataset}.{name}` AS _t")
            names[f"{dataset}.{name}"] = sorted(one["row"] for one in rows)
    return names, sorted(blob.name for blob in pipeline.connection.storage.list_blobs("archive"))


def test_a_preview_says_what_a_file_would_do_and_changes_nothing(
    pipeline: Pipeline, commands: Commands, elsewhere: Path, merged: str
) -> None:
    """Rejected rows are not recorded, no table is left or altered, and the archive has no copy more."""
    blob = pipeline.connection.storage.bucket("landing").blob("elsewhere/next.csv")
    blob.upload_from_string(
        HEADER + row("p1", 710, 6) + row("p2", operation="D") + row("p3") + row("p4", operation="D")
    )
    bad = pipeline.connection.storage.bucket("landing").blob("elsewhere/bad.csv")
    bad.upload_from_string(HEADER + row("p1", "high", 6) + row("p2", day=7))
    pipeline.wait_until_idle()
    before = _everything(pipeline)
    found = commands.json("preview", "gs://landing/elsewhere/next.csv", "--feeds", elsewhere)
    assert (found["feed"], found["generation"], found["merged"]) == ("accounts", blob.generation, False)
    assert found["effect"] == _effect(inserted=1, updated=1, tombstones=1, ignored=1)
    refused = commands.json(
        "preview", f"gs://landing/elsewhere/bad.csv#{bad.generation}", "--feeds", elsewhere, code=1
    )
    assert refused["fault"]["reason"] == "too_many_bad_rows"
    assert [one["reasons"] for one in refused["rejected"]] == [{"not_an_integer: credit_score": "high"}]
    again = commands.json("preview", merged)
    assert (again["merged"], again["effect"]) == (True, _effect())
    said = commands.run("preview", merged).stdout
    assert "it is merged already: merging it again changes nothing" in said
    assert _everything(pipeline) == before


def test_a_preview_by_another_contract_says_what_merge_would(
    commands: Commands, elsewhere: Path, merged: str, tmp_path: Path
) -> None:
    """A main table that cannot follow is a fault; one that is not there is an empty one."""
    text = (_FEEDS / "accounts.yaml").read_text()
    (tmp_path / "accounts.yaml").write_text(text.replace("[customer_id, account_number]", "[customer_id]"))
    found = commands.json("preview", merged, "--feeds", tmp_path, code=1)
    assert found["fault"]["reason"] == "contract_changed"
    assert "the table's rows have key customer_id STRING, account_number STRING" in found["fault"]["error"]
    new = text.replace("feed: accounts", "feed: newcomers").replace("main.accounts", "main.newcomers")
    (tmp_path / "accounts.yaml").write_text(new)
    assert commands.json("preview", merged, "--feeds", tmp_path)["effect"] == _effect(inserted=2)


def test_a_preview_of_a_snapshot_that_is_too_small_says_so(
    pipeline: Pipeline, commands: Commands, tmp_path: Path
) -> None:
    """A file that is merged is not held against the table that it made."""
    text = NUMBERS.replace("numbers", "whole").replace("version: v", "mode: snapshot")
    (tmp_path / "whole.yaml").write_text(text.replace("incoming/whole/*", "elsewhere/whole/*"))
    there = pipeline.drop("1.csv", "n,v\n1,1\n2,1\n3,1\n", "whole")
    pipeline.wait_until_idle()
    pipeline.connection.storage.bucket("landing").blob("elsewhere/whole/2.csv").upload_from_string("n,v\n1,1\n")
    found = commands.json("preview", "gs://landing/elsewhere/whole/2.csv", "--feeds", tmp_path, code=1)
    assert found["fault"]["reason"] == "snapshot_too_small"
    again = commands.json("preview", there)
    assert (again["merged"], again["fault"]) == (True, None)


def test_a_preview_leaves_the_archive_alone(
    pipeline: Pipeline, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its retention policy would keep a copy for weeks: a file that has none is read where it lies."""
    bucket, text = pipeline.connection.storage.bucket("landing"), HEADER + row("lies", day=5)
    bucket.blob("elsewhere/lies.csv").upload_from_string(text)
    bucket.blob("elsewhere/li*s.csv").upload_from_string(text)
    bucket.blob("elsewhere/packed.csv").upload_from_string(gzip.compress(text.encode()))
    pipeline.wait_until_idle()
    script, upstream = Script(), os.environ["STORAGE_EMULATOR_HOST"]
    proxy = HttpProxy("storage", script, lambda: upstream)
    kept = Fault("kept", answer=Error(403, "retentionPolicyNotMet", "Object is subject to bucket's retention policy"))
    script.arm(kept, lambda call: call.method == "DELETE" or ("/b/archive/" in call.path and call.method == "POST"))
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{proxy.port}")
    connection = Connection("local", elsewhere)
    found = preview(connection, "gs://landing/elsewhere/lies.csv", lambda _: None)
    assert (found.read.fault, found.effect) == (None, Effect(inserted=1))
    for name in ("li*s.csv", "packed.csv"):
        with pytest.raises(NotDone, match="cannot be read where it lies"):
            preview(connection, f"gs://landing/elsewhere/{name}", lambda _: None)
    assert not script.injected, "something was written to the archive, or deleted"
    proxy.close()


def test_a_preview_of_what_is_not_there_or_not_wanted_says_so(commands: Commands, elsewhere: Path) -> None:
    assert "does not exist" in commands.run("preview", "gs://landing/incoming/accounts/never.csv", code=1).stderr
    assert "no_feed" in commands.run("preview", "gs://landing/elsewhere/bad.csv", code=1).stderr
    assert "is not a copy" in commands.run("preview", "gs://archive/accounts/x.csv#5", code=1).stderr


def test_the_pages_commands_do_what_it_says(
    pipeline: Pipeline, commands: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """docs/testing-a-contract.md, as it is typed, with a terminal's answer where one is asked for."""
    feeds = _copied(tmp_path)
    case = feeds / "tests" / "accounts" / "one"
    case.mkdir(parents=True)
    (case / "1.csv").write_text(HEADER + row("d1"))
    (case / "expected.csv").write_text("customer_id\nd1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DROPMERGE_FEEDS", str(feeds))
    here = Commands({**commands.variables, "DROPMERGE_FEEDS": str(feeds)})
    _write(tmp_path, january=HEADER + row("d1"), february=HEADER + row("d1", 710, 2))
    pipeline.drop("page.csv", HEADER + row("d1"))
    pipeline.wait_until_idle()
    lines = [line.strip() for line in re.findall(r"^ +(?:run: )?dropmerge (.+)$", _PAGE, re.M)]
    assert len(lines) >= 4
    # One that another goes on from is typed with it.
    for line in [one for one in lines if not any(other.startswith(f"{one} ") for other in lines)]:
        here.run(*shlex.split(line.replace("--update", "--update --yes")))
    assert (tmp_path / "report.xml").exists()


def test_a_file_that_was_cut_off_is_refused_as_ingest_refuses_it(box: Sandbox, tmp_path: Path) -> None:
    """Where the feed demands the end of the last line."""
    contract = (_FEEDS / "accounts.yaml").read_text().replace('delimiter: ","', "final_newline: true")
    (tmp_path / "accounts.yaml").write_text(contract)
    trial = Trial(box, read_feed(tmp_path / "accounts.yaml"), "cut-off")
    (tried,) = trial.run(_write(tmp_path, cut=(HEADER + row("t1") + row("t2"))[:-1]))
    assert tried.read.fault is not None
    assert tried.read.fault.reason == "no_final_newline"
