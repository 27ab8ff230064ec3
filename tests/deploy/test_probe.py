"""The first-day probe, tried on the local cloud: what it prints and refuses, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from typer.testing import CliRunner
from zetasql.core.exceptions import ServerError

from deploy import topology
from deploy.google import __main__ as command
from deploy.google import preflight
from deploy.google.probe import by_hand, clients, expressions, large, local, run, statements
from deploy.google.probe import command as command_of_probe
from deploy.google.probe import scratch as scratch_module
from deploy.google.probe.clients import Clients
from deploy.google.probe.question import Answer, outcome
from deploy.google.probe.scratch import DATASET, Scratch, bucket_name, leftovers, scratch
from deploy.topology import ROOT
from dropmerge.cli.main import app
from localcloud.cloud import LocalCloud
from tests.harness.googlesql import GoogleSql
from tests.harness.statements.analyser import Analyser

_TARGET = ("--project", "local", "--region", "us-central1")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables that point clients at a local cloud."""
    own = LocalCloud(Path(tmp_path_factory.mktemp("cloud")), environ={})
    own.up(port_base=0)
    record = own.read()
    yield {name: record[name] for name in (*clients.EMULATORS, "GOOGLE_CLOUD_PROJECT")}
    own.down()


@pytest.fixture
def here(cloud: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """The environment points at the local cloud, which has nothing of the probe before and after."""
    for name, value in cloud.items():
        monkeypatch.setenv(name, value)
    own = Clients("local", "us-central1")
    assert leftovers(own) == []
    yield own
    assert leftovers(own) == []


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No local cloud, and no credentials for Google's."""
    for name in (*clients.EMULATORS, "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


def _probe(*words: str) -> int:
    return command.main(["probe", *_TARGET, *words])


def test_the_local_cloud_says_what_is_recorded_of_it(here: Clients, capsys: pytest.CaptureFixture[str]) -> None:
    """All questions, as JSON. The operator reads these verdicts beside Google's."""
    assert _probe("--yes", "--json") == 0
    out, err = capsys.readouterr()
    answered = json.loads(out)["questions"]
    how = 'eval "$(dropmerge env)"; python -m deploy.google.probe.local > deploy/google/probe/local.json'
    assert {one["name"]: one["verdict"] for one in answered} == local.recorded(), f"to record it anew: {how}"
    assert all(one["as_expected"] and one["verdict"] == one["local"] for one in answered)
    assert all(one["asks"] and one["given"] and one["why"] for one in answered)
    assert {one["name"] for one in answered if one["verdict"] == "not here"} == {"two_transactions", "seek_back"}
    assert f"{len(answered)} questions, which cost at most $0.01" in err
    assert f"120 of {len(answered)} answered" in err


def test_the_table_has_both_verdicts_and_then_what_is_to_do_by_hand(
    here: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _probe("--yes", "--only", "*_line*") == 0
    out = capsys.readouterr().out
    assert re.match(r"question +this local cloud +local cloud\n", out)
    rows = r'\[\["", null, null\], \["a", "1", null\]\]'
    assert re.search(rf"^empty_line_at_end +{rows} +{rows}$", out, re.M)
    assert re.search(r"^\d+ questions, 0 not answered as expected$", out, re.M)
    assert out.endswith("\n".join(by_hand.lines("local", "us-central1")) + "\n")


def test_a_verdict_that_is_not_expected_is_told_whole(
    here: Clients, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1; what is long in the table is cut."""
    monkeypatch.setattr(local, "recorded", lambda: {"crlf": "x" * 100})
    assert _probe("--yes", "--only", "crlf") == 1
    out = capsys.readouterr().out
    assert re.search(rf'^crlf +\[\["a", "1", null\], .* {"x" * 55}…  NOT AS EXPECTED$', out, re.M)
    assert f"    expected: {'x' * 100}\n" in out
    assert "    asked:    'k,v\\r\\na,1\\r\\nb,2\\r\\n'\n" in out


def test_google_is_held_to_what_is_expected_of_it_and_else_to_the_local_cloud() -> None:
    """The local cloud is held to its own record."""
    by_name, known = {one.name: one for one in run.questions(with_large=True)}, local.recorded()
    held = {
        (name, is_local): run.compare(by_name[name], Answer(""), known.get(name, "not here"), is_local).expected
        for name in ("rewrite_over", "crlf", "large_merge_ordered_keys")
        for is_local in (True, False)
    }
    assert held == {
        ("rewrite_over", True): ("copied",),
        ("rewrite_over", False): ("412",),
        ("crlf", True): (local.recorded()["crlf"],),
        ("crlf", False): (local.recorded()["crlf"],),
        ("large_merge_ordered_keys", True): ("not here",),
        ("large_merge_ordered_keys", False): ("bounds read less",),
    }


def test_names_are_unique_and_good_for_tables() -> None:
    names = [one.name for one in run.questions(with_large=True)]
    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z0-9_]+", name)] == []


def test_the_cost_is_said_before_and_is_small() -> None:
    """By the list prices: below a dollar with the large ones too."""
    assert 0 < run.dollars(run.questions(with_large=False)) < 0.02
    assert 0.10 < run.dollars(run.questions(with_large=True)) < 0.50


@pytest.mark.usefixtures("nowhere")
def test_a_dry_run_lists_all_and_needs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither credentials nor a cloud."""
    assert command.main(["probe", "--project", "my-project", "--region", "europe-west1", "--large", "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert all(f"{one.name}: {one.asks}\n" in out for one in run.questions(with_large=True))
    assert "gcloud builds list --project my-project --region europe-west1" in out
    assert "bucket my-project-dropmerge-probe" in err
    assert "at most $0.13" in err


def test_without_a_terminal_nothing_is_made(here: Clients, capsys: pytest.CaptureFixture[str]) -> None:
    """Unless --yes says so."""
    assert _probe("--only", "crlf") == 2
    assert "add --yes" in capsys.readouterr().err


@pytest.mark.parametrize(("typed", "code"), [("n", 1), ("", 1), ("y", 0)])
def test_a_terminal_is_asked(here: Clients, monkeypatch: pytest.MonkeyPatch, typed: str, code: int) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda _: typed)
    assert _probe("--only", "crlf") == code


def test_what_is_kept_stops_the_next_probe(here: Clients, capsys: pytest.CaptureFixture[str]) -> None:
    """Which says how to remove it, and removes nothing itself."""
    assert _probe("--yes", "--keep", "--only", "s*") == 0
    kept = leftovers(here)
    err = capsys.readouterr().err
    assert all(f"still there: {one}" in err for one in kept)
    assert [one.partition(":")[0].split()[0] for one in kept] == ["dataset", "bucket", "topic", *["subscription"] * 4]
    assert _probe("--yes") == 2
    err = capsys.readouterr().err
    assert all(f"there is already {one}" in err for one in kept)
    assert f"bq rm -r -f --dataset local:{DATASET}" in err
    assert leftovers(here) == kept
    _remove(here)


def test_answers_are_not_lost_where_the_end_fails(
    here: Clients, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1, and what is still there is said."""

    def fail(*_: object) -> None:
        raise exceptions.ServiceUnavailable("later")  # type: ignore[no-untyped-call]

    monkeypatch.setattr(scratch_module, "_remove_bucket", fail)
    assert _probe("--yes", "--only", "crlf") == 1
    out, err = capsys.readouterr()
    assert re.search(r"^crlf +\[\[", out, re.M)
    assert "not all could be removed: 503 later" in err
    assert "still there: bucket local-dropmerge-probe" in err
    here.storage.bucket(bucket_name("local")).delete(force=True)


def _remove(here: Clients) -> None:
    here.warehouse.client.delete_dataset(f"local.{DATASET}", delete_contents=True)
    bucket = here.storage.bucket(bucket_name("local"))
    bucket.delete(force=True)
    here.publisher.delete_topic(topic=Scratch(here).topic)
    for name in [one.split()[1].rstrip(":") for one in leftovers(here)]:
        here.subscriber.delete_subscription(subscription=f"projects/local/subscriptions/{name}")


def test_what_somebody_else_has_made_meanwhile_is_left_to_them(here: Clients) -> None:
    """What was made before that is removed."""
    bucket = here.storage.create_bucket(bucket_name("local"))
    with pytest.raises(exceptions.Conflict), scratch(here):
        pytest.fail("made twice")
    assert [one.split()[0] for one in leftovers(here)] == ["bucket"]
    bucket.delete()


def test_an_interrupted_probe_leaves_nothing(here: Clients) -> None:
    """`here` looks for what is left."""
    line = [sys.executable, "-m", "deploy.google", "probe", *_TARGET, "--yes", "--only", "control_*"]
    with subprocess.Popen(line, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stderr is not None
        while "20 of" not in (said := process.stderr.readline()):
            assert said, "it ended"
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert rest.endswith("interrupted\n")
    assert "still there" not in rest
    assert "60 of" not in rest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_way_to_be_stopped_is_heard(number: int) -> None:
    """And afterwards does again what it did before."""
    before = signal.getsignal(number)
    with command_of_probe._stopping() as stop:
        os.kill(os.getpid(), number)
        assert stop.wait(10)
    assert signal.getsignal(number) == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--project", "my-project"], "--region"),
        (["--region", "us-central1"], "--project"),
        (["--project", "My Project", "--region", "us-central1"], "is not a project id"),
        (["--project", "my-project", "--region", "EU"], "is not a region"),
        (["--project", "my-project", "--region", "us-central1", "--only"], "--only"),
        (["--project", "my-project", "--region", "us-central1", "--small"], "--small"),
    ],
)
@pytest.mark.usefixtures("nowhere")
def test_a_wrong_argument_is_named(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["probe", *words])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_a_pattern_that_no_question_has_is_refused(here: Clients, capsys: pytest.CaptureFixture[str]) -> None:
    assert _probe("--yes", "--only", "contrl_*") == 2
    assert "no question is called 'contrl_*'" in capsys.readouterr().err


def test_another_project_is_not_the_local_clouds(here: Clients, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody who means Google's is told so before anything is asked."""
    with pytest.raises(SystemExit):
        command.main(["probe", "--project", "my-project", "--region", "us-central1", "--yes"])
    assert "'my-project' is not the local cloud's project" in capsys.readouterr().err


@pytest.mark.usefixtures("nowhere")
def test_half_a_local_cloud_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The other half of the questions would go to Google."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:1")
    assert _probe("--yes") == 2
    assert "PUBSUB_EMULATOR_HOST, STORAGE_EMULATOR_HOST is not set" in capsys.readouterr().err


@pytest.mark.usefixtures("nowhere")
def test_missing_credentials_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["probe", "--project", "my-project", "--region", "us-central1", "--yes"]) == 2
    assert "gcloud auth application-default login" in capsys.readouterr().err


class _Google(requests.adapters.BaseAdapter):
    """Two of Google's APIs, as the preflight asks them: all is there but one API and one permission."""

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        url = request.url or ""
        answer: dict[str, Any] = {
            "permissions": [one for one in clients.PERMISSIONS if not one.startswith("pubsub.t")]
        }
        if "services:batchGet" in url:
            names = [f"services/{one}.googleapis.com" for one in clients.APIS if one != "sts"]
            answer = {"services": [{"name": name, "state": "ENABLED"} for name in names]}
        response = requests.Response()
        response.status_code, response.url = 200, url
        response._content = json.dumps(answer).encode()
        return response

    def close(self) -> None:
        return


def test_what_the_project_or_the_credentials_lack_is_named() -> None:
    session = requests.Session()
    session.mount("https://", _Google())
    assert clients.lacks(preflight.Project(session, "my-project")) == [
        "API sts.googleapis.com is not enabled: gcloud services enable sts.googleapis.com --project my-project",
        "your credentials lack the permission pubsub.topics.create",
    ]


@pytest.mark.usefixtures("nowhere")
def test_ingests_rights_are_those_of_its_roles_on_the_one_bucket() -> None:
    """As the foundation grants them on the archive."""
    made: Any = clients._as_ingest(AnonymousCredentials(), "b")  # type: ignore[no-untyped-call]
    (rule,) = made._credential_access_boundary.to_json()["accessBoundary"]["accessBoundaryRules"]
    assert rule["availableResource"] == "//storage.googleapis.com/projects/_/buckets/b"
    granted = re.findall(r'"(roles/storage\.object\w+)"', (ROOT / "deploy/google/foundation/access.tf").read_text())
    assert {one.removeprefix("inRole:") for one in rule["availablePermissions"]} == set(granted)


@pytest.mark.parametrize("one", expressions.EXPRESSIONS, ids=lambda one: one[0])
def test_what_is_expected_of_an_expression_is_what_googles_engine_answers(one: tuple[str, str, str]) -> None:
    _, expression, expected = one
    (row,) = GoogleSql().query(expressions.TEMPLATES.render("expression.sql", expression=expression))
    assert row["verdict"] == expected


def test_googles_engine_accepts_each_statement() -> None:
    """CLONE it parses, and says that it does not support it."""
    tables = {
        "by_month.sql": "by_month", "large_table.sql": "large", "large_source.sql": "source",
        "large_bounds.sql": "source", "large_merge.sql": "large",
    }  # fmt: skip
    values: dict[str, Any] = {
        "new": "local.d.new", "new_name": "renamed", "lock": "local.d.lock", "missing": "local.d.gone",
        "source": "local.d.source", "expression": "1", "column": "n", "bounds": ("a", "b"),
        "random": True, "thousands": 5,
    }  # fmt: skip
    analyser = Analyser()
    analyser.analyse(statements._OF_MERGE.render("create_lock.sql", lock=values["lock"], labels={}))
    analyser.analyse(expressions.TEMPLATES.render("create_keys.sql", table=values["missing"]))
    first = ("create_keys.sql", "large_table.sql", "large_source.sql")
    templates = {path.name for path in (ROOT / "deploy/google/probe/sql").glob("*.sql")}
    for name in (*first, *sorted(templates - {*first})):
        sql = expressions.TEMPLATES.render(name, table=f"local.d.{tables.get(name, 't')}", **values)
        try:
            analyser.analyse(sql)
        except ServerError as error:
            if name != "clone.sql" or "CREATE TABLE CLONE is not supported" not in str(error):
                raise


class _Conflict:
    """BigQuery where a second transaction changes what a first one has changed, with the error that is documented
    (https://cloud.google.com/bigquery/docs/transactions#transaction_concurrency)."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bool]] = []

    def query(self, sql: str, config: Any = None, **_: object) -> Any:
        session = bool(config and (config.create_session or config.connection_properties))
        self.sent.append((sql.split(";")[0], session))
        if "COMMIT" in sql and "UPDATE" in sql:
            words = "Transaction is aborted due to concurrent update against table"
            raise exceptions.BadRequest(words, errors=[{"reason": "invalidQuery"}])  # type: ignore[no-untyped-call]
        return SimpleNamespace(result=lambda **_: [], session_info=SimpleNamespace(session_id="s"))


def test_of_two_transactions_the_first_stays_open_while_the_second_tries() -> None:
    """In a session, which is ended. The local warehouse has none: it does one transaction after the other."""
    google = _Conflict()
    warehouse = SimpleNamespace(client=google, query=lambda sql: None)
    own: Any = SimpleNamespace(warehouse=warehouse, table=lambda name: f"p.d.{name}")
    answer = outcome(lambda: statements.two_transactions(own))
    (question,) = [one for one in run.questions(with_large=False) if one.name == "two_transactions"]
    assert (answer.verdict,) == question.expected
    assert "aborted due to concurrent update" in answer.said
    assert google.sent == [
        ("BEGIN TRANSACTION", True),
        ("BEGIN TRANSACTION", False),
        ("COMMIT TRANSACTION", True),
        ("CALL BQ.ABORT_SESSION()", True),
    ]


def test_a_fault_in_one_question_costs_no_other_answer() -> None:
    """It is a verdict that nobody expects, with the place of the fault."""
    own: Any = None
    question = replace(next(iter(run.questions(with_large=False))), ask=lambda scratch: Answer(scratch.rows("t")))
    answers = run.ask_all([question], own, True, threading.Event(), lambda *_: None)
    assert answers[question.name].verdict == "no answer (AttributeError)"
    assert "scratch.rows" in answers[question.name].said


def test_the_large_questions_in_small(here: Clients) -> None:
    """A file of 8 times 2 KiB and one byte, tables of a thousand rows: what they say of size is Google's to say."""
    small = large.Size(part_bytes=2048, doublings=3, thousand_rows=1)
    with scratch(here) as own:
        said = {one.name: outcome(lambda one=one: one.ask(own)).verdict for one in large.questions(small)}  # type: ignore[misc]
        names = [blob.name for blob in own.bucket.list_blobs()]
    assert said == {
        "large_file_with_quoted_newlines": "16 rows",
        "large_file_without_quoted_newlines": "16 rows",
        "large_merge_ordered_keys": "bounds read as much",
        "large_merge_random_keys": "bounds read as much",
    }
    assert sorted(name.partition("/")[2] for name in names if name.endswith(".csv")) == [
        "large_file_plain.csv",
        "large_file_quoted.csv",
    ]
    assert large.Size().file_bytes == 4 * 2**30


def test_what_is_to_do_by_hand_can_be_typed() -> None:
    """Its targets are the Makefile's, and no placeholder is left but the id that a command before it prints."""
    targets = set(re.findall(r"\$\(ROOTS:%=(\w+)-%\)", (ROOT / "Makefile").read_text(encoding="utf-8")))
    for step in by_hand.STEPS:
        for line in step.typed("my-project", "europe-west1"):
            assert not re.search(r"<\w>", line)
            if made := re.match(r"make (\w+)-(\w+) PROJECT=my-project REGION=europe-west1$", line):
                assert made[1] in targets
            else:
                assert line.split()[0] in ("gcloud", "dropmerge", "mkdir", "for", "printf"), line
            if "functions describe" in line:
                assert f"describe {topology.read().name_prefix}ingest " in line
            if line.startswith("dropmerge"):
                # It reads the options, and does nothing.
                done = CliRunner().invoke(app, [*shlex.split(line)[1:], "--help"])
                assert done.exit_code == 0, done.output
