"""Who merges the large files, each into a table of its own. Each has merged a row before a clock runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from google.cloud.bigquery import Client

from tests.harness.faults.calls import Call
from tests.harness.faults.cloud import Faulty
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.programs.bench import by_hand
from tests.programs.bench.drops import drop_large, upload
from tests.programs.bench.memory import peak_mb
from tests.programs.bench.merged import wait_until_merged
from tests.programs.bench.rival import rival
from tests.programs.bench.wrong_rows import in_duckdb, statement

DROPMERGE, BY_HAND = "dropmerge", "the same statements by hand"
DUCKDB, PANDAS, DLT = "DuckDB alone, the same steps", "a function with pandas", "dlt, merge"
UNPACKED = "DuckDB alone, texts not packed"
"""As the local warehouse writes them."""
_PANDAS_TABLE, _DLT_DATASET = "local.main.by_pandas", "by_dlt"
_COLUMNS = (
    "customer_id STRING, account_number STRING, credit_score INT64, account_balance NUMERIC, last_modified TIMESTAMP"
)
_PAUSE = 0.05
"""Asked more often, Pub/Sub and who asks it take an eighth of a core from the warehouse."""
_FIRST = HEADER + row("first", operation="D")
"""A delete, which leaves no row in the table."""


@dataclass(frozen=True)
class Contestant:
    who: str
    merge: Callable[[Path], object]
    """A file, until it is in the table."""
    compare: Callable[[], Mapping[str, int]]
    """What `wrong_rows.sql` counts."""
    peaks: Callable[[], Mapping[str, float]]
    """MB by what has them."""


@contextmanager
def contestants(faulty: Faulty, folder: Path, expected: Path, with_rivals: bool) -> Iterator[list[Contestant]]:
    """All; each has done everything once."""
    first = folder / "first.csv"
    first.write_text(_FIRST)
    with ExitStack() as rivals:
        own = _Dropmerge(faulty)
        all_of_them = [own.dropmerge(), own.by_hand()]
        if with_rivals:
            for who in (DUCKDB, UNPACKED):
                all_of_them.append(rivals.enter_context(_duckdb(folder / who, expected, who)))
            all_of_them.append(rivals.enter_context(pandas_function(faulty.pipeline, folder)))
            all_of_them.append(rivals.enter_context(_dlt(faulty.pipeline, folder)))
        faulty.pipeline.drop("first.csv", _FIRST, by_hand.FEED)
        faulty.pipeline.wait_until_idle()
        for one in all_of_them:
            one.merge(first)
        yield all_of_them


class _Dropmerge:
    """It, and what repeats the statements of the file that it merged last."""

    def __init__(self, faulty: Faulty) -> None:
        self._faulty, self._pipeline = faulty, faulty.pipeline
        self._calls: list[Call] = []
        self._uri = ""

    def dropmerge(self) -> Contestant:
        return Contestant(
            DROPMERGE, self._drop, partial(_compare, self._pipeline, "local.main.accounts_current"), self._peaks
        )

    def by_hand(self) -> Contestant:
        table = f"(SELECT * FROM local.main.{by_hand.FEED} WHERE NOT _deleted)"
        return Contestant(BY_HAND, self._repeat, partial(_compare, self._pipeline, table), dict)

    def _drop(self, file: Path) -> None:
        before = len(self._faulty.script.calls)
        self._uri = drop_large(self._pipeline, file)
        wait_until_merged(self._pipeline, _PAUSE)
        self._calls = self._faulty.script.calls[before:]

    def _repeat(self, file: Path) -> None:
        by_hand.send(self._pipeline, self._calls, self._pipeline.load_id(self._uri), file)

    def _peaks(self) -> Mapping[str, float]:
        pids = {name: int(os.environ[f"DROPMERGE_{name.upper()}_PID"]) for name in ("ingest", "merge")}
        return {f"{DROPMERGE}: {name}": peak_mb(pid) for name, pid in pids.items()}


@contextmanager
def _duckdb(folder: Path, expected: Path, who: str) -> Iterator[Contestant]:
    folder.mkdir()
    with rival("duckdb_alone", folder) as process:
        process.ask("open", path=str(folder / "alone.duckdb"), packs_texts=who != UNPACKED)
        sql = statement("(SELECT * FROM accounts WHERE NOT deleted)", in_duckdb(expected))
        yield Contestant(
            who,
            lambda file: process.ask("merge", file=str(file)),
            lambda: {name: int(number) for name, number in process.ask("query", sql=sql)[0].items()},
            lambda: {who: process.peak_mb()},
        )


@contextmanager
def pandas_function(pipeline: Pipeline, folder: Path) -> Iterator[Contestant]:
    client: Client = pipeline.connection.warehouse.client
    client.query_and_wait(f"CREATE TABLE `{_PANDAS_TABLE}` ({_COLUMNS})")
    with rival("pandas_function", folder) as process:

        def merge(file: Path) -> None:
            # Not in the landing bucket, whose files dropmerge takes.
            blob = upload(pipeline, "archive", f"bench/{file.name}", file)
            process.ask("merge", bucket="archive", name=blob.name, table=_PANDAS_TABLE)

        yield Contestant(
            PANDAS, merge, partial(_compare, pipeline, _PANDAS_TABLE), lambda: {PANDAS: process.peak_mb()}
        )


@contextmanager
def _dlt(pipeline: Pipeline, folder: Path) -> Iterator[Contestant]:
    with rival("dlt", folder) as process:
        process.ask("open", folder=str(folder / "dlt"), dataset=_DLT_DATASET)
        yield Contestant(
            DLT,
            lambda file: process.ask("merge", file=str(file), table="accounts"),
            partial(_compare, pipeline, f"local.{_DLT_DATASET}.accounts"),
            lambda: {DLT: process.peak_mb()},
        )


def _compare(pipeline: Pipeline, table: str) -> Mapping[str, int]:
    (counted,) = pipeline.connection.warehouse.query(statement(table))
    return dict(counted)
