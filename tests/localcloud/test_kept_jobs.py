"""What the local warehouse remembers of jobs is bounded; what it forgot is `notFound`, as BigQuery says it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from google.api_core.exceptions import Conflict, NotFound
from google.cloud import bigquery

from localcloud.warehouse.bounded import READING_SECONDS, Tables, Youngest
from localcloud.warehouse.replace import replace, replace_store
from tests.harness.subscription import wait_until
from tests.harness.warehouse import local_warehouse

_SMALL = """import runpy
from localcloud.warehouse import kept_jobs
kept_jobs._results._most, kept_jobs._results._most_bytes = 5, 400_000
kept_jobs._questions._most, kept_jobs._changes._most = {questions}, {changes}
kept_jobs.MAX_CHANGES = {changes}
runpy.run_module("localcloud.warehouse", run_name="__main__", alter_sys=True)
"""


@contextmanager
def _warehouse(folder: Path, questions: int = 10, changes: int = 10) -> Iterator[bigquery.Client]:
    """A warehouse that keeps five results, of 400 kB, and so many jobs."""
    code = _SMALL.format(questions=questions, changes=changes)
    with local_warehouse(folder, ["-c", code]) as client:
        yield client


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bigquery.Client]:
    with _warehouse(tmp_path_factory.mktemp("warehouse")) as client:
        yield client


def _ask(client: bigquery.Client, sql: str = "SELECT 1 AS n") -> Any:
    """A job whose result was read to its end."""
    job = client.query(sql)
    list(job.result())
    return job


def _change(client: bigquery.Client) -> Any:
    return _ask(client, f"CREATE TABLE d.t_{uuid.uuid4().hex} AS SELECT 1 AS n")


def _numbers(many: int) -> str:
    return f"SELECT n FROM UNNEST(GENERATE_ARRAY(1, {many})) AS n ORDER BY n"


def _ask_again(client: bigquery.Client, job: Any) -> Any:
    """The job as a later process finds it."""
    return client.get_job(job.job_id)


def _assert_not_found(job: Any, caught: pytest.ExceptionInfo[NotFound]) -> None:
    assert caught.value.errors[0]["reason"] == "notFound"
    assert caught.value.errors[0]["message"] == f"Not found: Job local:US.{job.job_id}"


def test_results_beyond_the_count_are_not_found(client: bigquery.Client) -> None:
    """The job is still known; its result is gone."""
    job = _ask(client)
    others = [_ask(client) for _ in range(4)]
    assert [row["n"] for row in _ask_again(client, job).result()] == [1], "the fifth youngest is there"
    others += [_ask(client) for _ in range(5)]
    found = _ask_again(client, job)
    assert found.state == "DONE"
    with pytest.raises(NotFound) as caught:
        found.result(job_retry=None)
    _assert_not_found(job, caught)
    assert all(list(_ask_again(client, other).result()) for other in others[-5:])


def test_results_beyond_the_bytes_are_not_found(client: bigquery.Client) -> None:
    """Three results of 160 kB are more than is kept."""
    first, second, third = (_ask(client, _numbers(20_000)) for _ in range(3))
    with pytest.raises(NotFound) as caught:
        _ask_again(client, first).result(job_retry=None)
    _assert_not_found(first, caught)
    for kept in (second, third):
        assert _ask_again(client, kept).result(page_size=1).total_rows == 20_000


def test_a_result_that_is_being_read_stays(client: bigquery.Client) -> None:
    """The result is read page by page while more others than are kept are made and read."""
    rows = iter(client.query(_numbers(50)).result(page_size=20))
    read = [next(rows)["n"]]
    for _ in range(7):
        _ask(client)
    read += [row["n"] for row in rows]
    assert read == list(range(1, 51))


def test_a_result_that_nobody_has_read_yet_stays(client: bigquery.Client) -> None:
    """Jobs that end at the same time do not take each other's."""
    jobs = [client.query(_numbers(3)) for _ in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda job: [row["n"] for row in job.result()], jobs)) == [[1, 2, 3]] * 8


def test_a_running_job_is_not_forgotten(client: bigquery.Client) -> None:
    """The job began before many others, and is found when it ends."""
    slow = "BEGIN DECLARE i INT64 DEFAULT 0; WHILE i < 40 DO SET i = i + 1; END WHILE; SELECT i AS n; END"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(_ask, client, slow)
        others = [_ask(client)]
        while not running.done() or len(others) < 12:
            others.append(_ask(client))
    assert client.get_job(running.result().job_id).state == "DONE"


def test_jobs_beyond_the_count_are_neither_found_nor_listed(client: bigquery.Client) -> None:
    """The list, the job and the cancellation agree."""
    jobs = [_ask(client) for _ in range(13)]
    for forgotten in jobs[:3]:
        for call in (client.get_job, client.cancel_job):
            with pytest.raises(NotFound) as caught:
                call(forgotten.job_id)
            _assert_not_found(forgotten, caught)
    listed = [job.job_id for job in client.list_jobs(max_results=100)]
    assert [job_id for job_id in listed if job_id in {job.job_id for job in jobs}] == [
        job.job_id for job in reversed(jobs[3:])
    ]
    assert all(client.get_job(job_id).job_id == job_id for job_id in listed)


def test_questions_do_not_push_out_what_changed_something(client: bigquery.Client) -> None:
    """`explain` finds a load's jobs after any number of `status`."""
    change = _change(client)
    for _ in range(12):
        _ask(client)
    assert client.get_job(change.job_id).state == "DONE"
    changes = [_change(client) for _ in range(10)]
    with pytest.raises(NotFound):
        client.get_job(change.job_id)
    assert all(client.get_job(job.job_id).state == "DONE" for job in changes)


def test_an_id_that_was_forgotten_can_be_used_again(client: bigquery.Client) -> None:
    """Services repeat their ids: the new job counts as the youngest. While it is known, its id is taken."""
    job = _ask(client)
    for sql in ("SELECT 2 AS n", "SELECT 4 AS n"):
        with pytest.raises(Conflict):
            client.query(sql, job_id=job.job_id, job_retry=None, retry=None)  # type: ignore[arg-type]  # None: no retry
        for _ in range(12):
            _ask(client)
        again: Any = client.query(sql, job_id=job.job_id, job_retry=None)
        assert again.result(job_retry=None).total_rows == 1
        assert _ask_again(client, job).query == sql
        assert [one.job_id for one in client.list_jobs()].count(job.job_id) == 1
    for _ in range(10):
        _ask(client)
    with pytest.raises(NotFound):
        _ask_again(client, job)


def test_jobs_are_listed_by_their_time(client: bigquery.Client) -> None:
    """The list honours the bounds that `explain` sends."""
    before = _ask(client)
    border = datetime.now(UTC)
    wait_until(lambda: datetime.now(UTC).timestamp() > border.timestamp() + 0.01, "later")
    after = _ask(client)
    younger = {job.job_id for job in client.list_jobs(min_creation_time=border)}
    older = {job.job_id for job in client.list_jobs(max_creation_time=border)}
    assert after.job_id in younger - older
    assert before.job_id in older - younger


def test_a_start_reads_no_more_jobs_than_are_kept(tmp_path: Path) -> None:
    """An earlier version's state may hold any number."""
    with _warehouse(tmp_path, changes=100) as client:
        question = _ask(client)
        changes = [_change(client) for _ in range(8)]
    with _warehouse(tmp_path, changes=3) as client:
        listed = {job.job_id for job in client.list_jobs(max_results=100)}
        assert listed == {job.job_id for job in changes[-3:]}
        with pytest.raises(NotFound) as caught:
            client.get_job(question.job_id)
        _assert_not_found(question, caught)


def test_a_reader_who_does_not_come_back_holds_nothing_for_ever() -> None:
    """A result that was asked for and not read to its end may be dropped after five minutes."""
    now, gone = [0.0], list[str]()
    kept = Tables(1, 10**6, gone.append, lambda: now[0])
    kept["a"] = pa.table({"n": [1]})
    now[0] = READING_SECONDS
    kept["b"] = pa.table({"n": [2]})
    assert (list(kept), gone) == (["a", "b"], [])
    now[0] = READING_SECONDS + 1
    kept["c"] = pa.table({"n": [3]})
    assert (list(kept), gone) == (["b", "c"], ["a"])


def test_a_small_result_takes_little_memory() -> None:
    """A slice holds what it was cut from; what is kept does not."""
    kept = Tables(1, 10**6)
    kept["a"] = pa.table({"n": list(range(10_000)), "text": ["x"] * 10_000}).slice(7, 2)
    assert kept["a"].to_pydict() == {"n": [7, 8], "text": ["x", "x"]}
    assert kept["a"].get_total_buffer_size() < 1000


def test_the_youngest_stay_and_the_one_that_came_always_does() -> None:
    youngest = Youngest(2, 100)
    a, b, c = ("p", "a"), ("p", "b"), ("p", "c")
    assert youngest.add(a, 10) == youngest.add(b, 10) == youngest.add(a, 10) == []
    assert youngest.add(c, 10) == [b]
    assert youngest.add(b, 1000) == [a, c]
    assert youngest.discard(b)
    assert not youngest.discard(b)
    assert youngest.add(a, 100) == []


def test_another_bqemulator_is_refused() -> None:
    """The start fails and says what to pin."""

    class Other:
        store = {"filled": 1}  # noqa: RUF012

        def call(self, other: int) -> None: ...

    def call(self: Any, one: int) -> None: ...

    for attempt in (
        lambda: replace(Other, "call", call),
        lambda: replace(Other, "gone", call),
        lambda: replace_store(Other, "store", {}),
    ):
        with pytest.raises(SystemExit, match="pin the bqemulator"):
            attempt()
