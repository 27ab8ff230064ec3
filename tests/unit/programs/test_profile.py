"""A sample of a stack belongs to the part of its innermost frame that has one; without a sampler there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.topology import ROOT
from tests.programs.bench import sampler
from tests.programs.bench.parts import DUCKDB, SERVICE, THE_REST, WAREHOUSE, Parts, part_of, shares, with_threads

_PACKAGES = "/somewhere/.venv/lib/python3.11/site-packages"
_PYTHON = "/usr/lib/python3.11"
_PROCESS = 'process 12:"python -m localcloud.warehouse start (again)"'
_LOOP = f"BaseEventLoop._run_once ({_PYTHON}/asyncio/base_events.py)"
_ROUTE = f"insert_job ({_PACKAGES}/bqemulator/api/routes/jobs.py)"
_EXECUTE = f"execute ({ROOT}/localcloud/warehouse/transactions.py)"
_DUCKDB = f"DuckDBEngine.execute ({_PACKAGES}/bqemulator/storage/engine.py)"
_SYNC = f"sync_created_table ({_PACKAGES}/bqemulator/catalog/ddl_sync.py)"
_HANDLE = f"handle ({ROOT}/services/shared/delivery.py)"
_CLIENT = f"Client.query ({_PACKAGES}/google/cloud/bigquery/client.py)"


@pytest.mark.parametrize(
    ("parts", "stack", "part"),
    [
        (WAREHOUSE, [_LOOP, _ROUTE, _EXECUTE, _DUCKDB], DUCKDB),
        (WAREHOUSE, [_LOOP, _ROUTE, _SYNC, _EXECUTE], DUCKDB),
        (WAREHOUSE, [_PROCESS, _LOOP, _ROUTE, _EXECUTE, _DUCKDB], DUCKDB),
        (WAREHOUSE, [_ROUTE, f"_translated ({ROOT}/localcloud/warehouse/translation.py)"], "translation"),
        (WAREHOUSE, [_ROUTE, f"parse_one ({_PACKAGES}/sqlglot/__init__.py)"], "translation"),
        (WAREHOUSE, [_ROUTE, f"tree_of ({ROOT}/localcloud/warehouse/patches.py)"], "translation"),
        (WAREHOUSE, [_ROUTE, f"at_once ({ROOT}/localcloud/warehouse/patches.py)"], "HTTP"),
        (WAREHOUSE, [_ROUTE, f"clean_records ({ROOT}/localcloud/warehouse/csv_reader.py)"], "reading files"),
        (WAREHOUSE, [_ROUTE, _SYNC, f"deepcopy ({_PYTHON}/copy.py)"], "catalog and jobs"),
        (WAREHOUSE, [_LOOP, _ROUTE], "catalog and jobs"),
        (WAREHOUSE, [_LOOP, f"APIRoute.matches ({_PACKAGES}/fastapi/routing.py)"], "HTTP"),
        (WAREHOUSE, [_LOOP, f"dumps ({_PYTHON}/json/__init__.py)"], "HTTP"),
        (WAREHOUSE, [f"dumps ({_PYTHON}/json/__init__.py)"], THE_REST),
        (SERVICE, [_HANDLE], "our code"),
        (SERVICE, [_HANDLE, f"render ({_PACKAGES}/jinja2/environment.py)"], "our code"),
        (SERVICE, [_HANDLE, _CLIENT], "Google's client libraries"),
        (SERVICE, [_HANDLE, _CLIENT, f"dumps ({_PYTHON}/json/__init__.py)"], "Google's client libraries"),
        (SERVICE, [f"Flask.wsgi_app ({_PACKAGES}/flask/app.py)"], "the function framework"),
        (SERVICE, [f"run ({_PYTHON}/runpy.py)"], THE_REST),
        (WAREHOUSE, [_LOOP, f"EpollSelector.select ({_PYTHON}/selectors.py)"], None),
        (SERVICE, [f"Thread.run ({_PYTHON}/threading.py)", f"_worker ({_PYTHON}/concurrent/futures/thread.py)"], None),
        (SERVICE, [f"Queue.get ({_PYTHON}/queue.py)", f"Condition.wait ({_PYTHON}/threading.py)"], None),
        (SERVICE, [_HANDLE, _CLIENT, f"SocketIO.readinto ({_PYTHON}/socket.py)"], None),
        (SERVICE, [_PROCESS], None),
    ],
)
def test_a_stack_belongs_to_its_innermost_frame_s_part_and_a_waiting_one_to_none(
    parts: Parts, stack: list[str], part: str | None
) -> None:
    assert part_of(";".join(stack), parts) == part


def test_the_shares_are_those_of_samples_that_do_not_wait() -> None:
    waiting = f"EpollSelector.select ({_PYTHON}/selectors.py)"
    found = shares({f"{_HANDLE};{_CLIENT}": 3, _HANDLE: 1, f"{_LOOP};{waiting}": 96}, SERVICE)
    none = {"the function framework": 0.0, THE_REST: 0.0}
    assert found == {"our code": 0.25, "Google's client libraries": 0.75, **none}
    assert shares({waiting: 5}, SERVICE) == {}


def test_threads_without_samples_are_one_part_s() -> None:
    found = with_threads({DUCKDB: 0.5, "HTTP": 0.5}, DUCKDB, 0.4)
    assert found == pytest.approx({DUCKDB: 0.7, "HTTP": 0.3})


def test_the_work_is_done_without_a_sampler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sampler, "PY_SPY", tmp_path / "py-spy")
    done = []
    assert sampler.sampled({"ingest": 1}, lambda: done.append(1)) is None
    assert done == [1]


def test_the_work_is_done_where_the_sampler_may_not_attach(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refused = tmp_path / "py-spy"
    refused.write_text(
        "#!/bin/sh\necho 'Permission Denied: Try running again with elevated permissions' >&2\nexit 1\n"
    )
    refused.chmod(0o755)
    monkeypatch.setattr(sampler, "PY_SPY", refused)
    done = []
    assert sampler.sampled({"ingest": 1}, lambda: done.append(1)) is None
    assert done == [1]
