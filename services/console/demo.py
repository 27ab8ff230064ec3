"""The whole mission in small: generated files become rows of the main table, a dead letter on the way.

Exits 0 only if the main table equals the generator's own answer, row by row, and the poison file was
dead-lettered, mended, replayed and merged.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from deploy.local.cloud import LocalCloud
from deploy.local.environment import ROOT
from deploy.local.errors import CloudError
from services.console.connection import Connection
from services.console.in_flight import InFlight
from services.console.whereabouts import is_moving
from services.shared.warehouse import Warehouse, connect

_ROWS, _INCREMENTAL_ROWS = 20_000, 5_000
_TIMEOUT = 180.0
_OUT = Console(highlight=False, soft_wrap=True)


class DemoFailed(Exception):
    """Something that the demo promises did not hold."""


def main() -> int:
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="dropmerge-demo-"))
    cloud = LocalCloud(folder / "state", lambda line: _OUT.print(f"  [dim]{line}[/dim]"))
    try:
        summary = _run(cloud, folder)
    except (DemoFailed, CloudError, subprocess.CalledProcessError) as error:
        _OUT.print(f"[red]the demo failed: {error}[/red]\nwhat it left: {folder}")
        return 1
    except KeyboardInterrupt:
        _OUT.print("interrupted")
        return 130
    finally:
        cloud.down()
    shutil.rmtree(folder)
    _OUT.print("\n[bold]Summary[/bold]")
    for line in [*summary, f"{time.monotonic() - started:.0f} s in all"]:
        _OUT.print(f"  {line}")
    return 0


def _run(cloud: LocalCloud, folder: Path) -> list[str]:
    feeds = folder / "feeds"
    feeds.mkdir()
    contract = feeds / "accounts.yaml"
    # The generator makes some bad rows on purpose; this feed tolerates them.
    contract.write_text((ROOT / "deploy" / "feeds" / "accounts.yaml").read_text().replace("at_most: 0", "at_most: 5%"))
    _title("Starting the local cloud on free ports")
    environment = cloud.up(0, feeds)
    os.environ.update(environment)

    _title("Generating an initial file, then two with updates, deletes, duplicates, late and bad rows")
    files = [folder / f"{name}.csv" for name in ("initial", "incremental-1", "incremental-2")]
    _generate("initial", "--rows", _ROWS, "--seed", 1, "--out", files[0])
    odds = ["--delete-probability", 0.1, "--duplicate-probability", 0.05, "--late-probability", 0.1]
    for n in (1, 2):
        earlier = [word for path in files[:n] for word in ("--continue-from", path)]
        _generate(
            "incremental",
            "--rows",
            _INCREMENTAL_ROWS,
            "--seed",
            n + 1,
            "--out",
            files[n],
            *odds,
            "--bad-probability",
            0.01,
            *earlier,
        )
    expected = folder / "expected.csv"
    _python("generator", "expect", *files, "--out", expected)

    _title("Dropping them in the bucket")
    told: dict[tuple[str, int], str] = {}
    for path in files:
        _dropmerge("drop", path)
    _follow(cloud, told)

    _title("Comparing the main table with the generator's answer, row by row")
    rows = _compare(expected)
    _OUT.print(f"  [green]{rows} rows, all equal[/green]")

    _title("A poison file: its header has a column that the contract does not know")
    poison = folder / "poison.csv"
    poison.write_text(
        "customer_id,account_number,credit_score,account_balance,last_modified,branch\n"
        "poison-customer,poison-account,700,12.50,2026-01-01T00:00:00Z,Delft\n"
    )
    _dropmerge("drop", poison)
    _follow(cloud, told)
    letters = json.loads(_dropmerge("dead-letters", "list", "--json"))
    if [letter["reason"] for letter in letters] != ["wrong_header"]:
        raise DemoFailed(f"expected one dead letter, wrong_header; there are {letters}")
    _OUT.print(f"  dead letter {letters[0]['id']}: {letters[0]['reason']}: {letters[0]['error']}")

    _title("Mending: the contract ignores unknown columns, ingest restarts, the dead letter is replayed")
    contract.write_text(contract.read_text().replace("unknown_columns: reject", "unknown_columns: ignore"))
    _redeploy(cloud, environment, feeds)
    _OUT.print("  " + _dropmerge("dead-letters", "replay", "--id", letters[0]["id"]).strip().splitlines()[-1])
    _follow(cloud, told)
    with expected.open("a", newline="") as file:
        file.write("poison-customer,poison-account,700,12.5,2026-01-01T00:00:00.000000Z\n")
    rows_after = _compare(expected)
    if json.loads(_dropmerge("dead-letters", "list", "--json")):
        raise DemoFailed("a dead letter is left after the replay")
    _OUT.print(f"  [green]{rows_after} rows, all equal, no dead letter left[/green]")
    status = json.loads(_dropmerge("status", "--json"))["feeds"]["accounts"]
    return [
        f"{status['merged']} files merged, {rows_after} rows equal to the expected answer",
        f"{status['rejected_rows']} bad rows set aside with their reasons",
        "1 poison file dead-lettered, mended, replayed and merged",
    ]


def _title(text: str) -> None:
    _OUT.print(f"\n[bold]{text}[/bold]")


def _python(*words: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DemoFailed(f"{' '.join(map(str, words))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _generate(*words: object) -> None:
    _python("generator", *words)
    _OUT.print(f"  {words[words.index('--out') + 1]}")


def _dropmerge(*words: object) -> str:
    return _python("services.console", *words)


def _follow(cloud: LocalCloud, told: dict[tuple[str, int], str]) -> None:
    """Show each file's way until nothing is in flight. `told`: the last state shown of each generation."""
    connection = Connection(os.environ["GOOGLE_CLOUD_PROJECT"], cloud.state.parent / "feeds")
    in_flight, deadline = InFlight(connection), time.monotonic() + _TIMEOUT
    while True:
        found, messages = in_flight.all()
        moving = [one for one in found if is_moving(one)]
        for one in found:
            if told.get((one.object, one.generation)) != one.state:
                told[one.object, one.generation] = one.state
                _OUT.print(f"  gs://{one.bucket}/{one.object}  [cyan]{one.state}[/cyan]")
        if not moving and not messages:
            return
        if time.monotonic() > deadline:
            raise DemoFailed(f"after {_TIMEOUT:.0f} s still in flight: {moving}, {messages} messages")
        time.sleep(0.3)


def _redeploy(cloud: LocalCloud, environment: dict[str, str], feeds: Path) -> None:
    master = psutil.Process(int(environment["DROPMERGE_INGEST_PID"]))
    master.send_signal(signal.SIGTERM)
    master.wait(timeout=30)
    os.environ.update(cloud.up(0, feeds))


def _compare(expected: Path) -> int:
    """Every row and column. Raises DemoFailed with the first differences."""
    with expected.open(newline="", encoding="utf-8") as file:
        wanted = {tuple(row) for row in list(csv.reader(file))[1:]}
    found = list(_main_rows())
    if len(found) != len(set(found)) or set(found) != wanted:
        missing, extra = list(wanted - set(found))[:3], list(set(found) - wanted)[:3]
        raise DemoFailed(
            f"the main table has {len(found)} rows, {len(wanted)} are expected; "
            f"missing, such as {missing}; unexpected, such as {extra}"
        )
    return len(found)


def _main_rows() -> Iterator[tuple[str, ...]]:
    warehouse = Warehouse(connect(os.environ["GOOGLE_CLOUD_PROJECT"], "US"), 300.0)
    for row in warehouse.query("SELECT * FROM `main.accounts_current`"):
        yield (row["customer_id"], row["account_number"], *map(cell, [row[n] for n in range(2, 5)]))


def cell(value: Any) -> str:
    """A value of the main table as the generator writes it."""
    if value is None:
        return ""
    if hasattr(value, "astimezone"):
        return str(value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    text = format(value, "f") if hasattr(value, "as_tuple") else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


if __name__ == "__main__":
    sys.exit(main())
