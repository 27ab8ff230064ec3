"""What `verify` finds in a large table, and what `rebuild` makes of it: `python -m tests.programs.verify_million`.

Twenty files make a table, with updates and deletes. Two hundred changes are planted: cells, missing keys, keys brought
back, extra rows. `verify` has to find these and nothing else. Then `rebuild` is killed several times, and run to its
end while files are dropped: the table has to be what its files make. Exits 1 where any of it is not so.
"""

from __future__ import annotations

import json
import random
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer

from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import HEADER, Pipeline, row

_KINDS = ("changed", "missing", "brought_back", "extra")
_COLUMNS = "account_number, credit_score, account_balance, last_modified, _deleted, _generation, _object, _load_id"
_PLANTED = {
    "changed": "UPDATE `main.accounts` SET account_balance = 0.5 WHERE customer_id IN UNNEST(SPLIT(@keys))",
    "missing": "DELETE FROM `main.accounts` WHERE customer_id IN UNNEST(SPLIT(@keys))",
    "brought_back": "UPDATE `main.accounts` SET _deleted = FALSE WHERE customer_id IN UNNEST(SPLIT(@keys))",
    "extra": f"INSERT INTO `main.accounts` (customer_id, {_COLUMNS}) SELECT CONCAT(customer_id, '+'), {_COLUMNS} "
    "FROM `main.accounts` WHERE customer_id IN UNNEST(SPLIT(@keys))",
}
_PATIENCE = 3600.0


def files(rows: int, count: int, seed: int) -> Iterator[str]:
    """Three quarters with new keys, the others update some, of which late ones lose; the last one deletes."""
    chosen, new = random.Random(seed), count * 3 // 4
    for number in range(new):
        keys = range(number * rows // new, (number + 1) * rows // new)
        yield HEADER + "".join(row(_key(n), 300 + n % 500, 2) for n in keys)
    for number in range(new, count - 1):
        changed = chosen.sample(range(rows), rows // 20)
        yield HEADER + "".join(row(_key(n), 400, chosen.choice((1, number))) for n in changed)
    yield HEADER + "".join(row(_key(n), 0, 28, "D") for n in deleted(rows))


def deleted(rows: int) -> range:
    """Numbers of the keys that are deleted at the end."""
    return range(0, rows, 50)


def _key(number: int) -> str:
    return f"k{number:08d}"


def plant(pipeline: Pipeline, rows: int, changes: int, seed: int) -> dict[str, str]:
    """As many changes as asked for; by key, how `verify` has to call each."""
    chosen = random.Random(seed)
    alive = chosen.sample([n for n in range(rows) if n % 50], changes)
    share = changes // len(_KINDS)
    keys: Mapping[str, Sequence[int]] = {
        "changed": alive[:share],
        "missing": alive[share : 2 * share],
        "brought_back": chosen.sample(list(deleted(rows)), share),
        "extra": alive[2 * share : 3 * share],
    }
    for kind, numbers in keys.items():
        names = ",".join(map(_key, numbers))
        pipeline.connection.warehouse.query(_PLANTED[kind], {"keys": ("STRING", names)})
    return {_key(n) + ("+" if kind == "extra" else ""): kind for kind, numbers in keys.items() for n in numbers}


def killed(commands: Commands, seconds: float, *words: str) -> bool:
    """Start a command and kill it after some time; whether it had not ended by then."""
    with commands.start(*words) as process:
        time.sleep(seconds)  # the moment is any
        if process.poll() is not None:
            return False
        process.send_signal(signal.SIGKILL)
    return True


class Run:
    """A command in a process of its own: its answer, its time, and the most memory that it took."""

    def __init__(self, commands: Commands, folder: Path, *words: str) -> None:
        started, self.peak_mb, answer = time.monotonic(), 0.0, folder / "answer.json"
        with answer.open("wb") as output, commands.start(*words, "--json", stdout=output) as process:
            watched = psutil.Process(process.pid)
            while process.poll() is None:
                self.peak_mb = max(self.peak_mb, _mb(watched))
                time.sleep(0.1)
        self.code, self.seconds = process.returncode, time.monotonic() - started
        self.answer: Any = json.loads(answer.read_text() or "null")


def _mb(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss / 2**20)
    except psutil.Error:
        return 0.0


def check(
    pipeline: Pipeline, folder: Path, rows: int, changes: int, kills: int, count: int = 20
) -> tuple[dict[str, Any], list[str]]:
    """Of a table made of `count` files: figures, and what was not as it has to be."""
    feeds = str(pipeline.connection.feeds_folder)
    commands = Commands({"DROPMERGE_STATE": str(pipeline.cloud.state), "DROPMERGE_FEEDS": feeds})
    for number, text in enumerate(files(rows, count, seed=1)):
        pipeline.drop(f"{number}.csv", text)
    pipeline.wait_until_idle(_PATIENCE)
    planted = plant(pipeline, rows, changes, seed=2)
    faults = []
    for _ in range(kills):
        killed(commands, random.uniform(1, 6), "verify", "accounts")
    verified = Run(commands, folder, "verify", "accounts", "--limit", str(10 * changes))
    found = {one["key"]["customer_id"]: one["what"] for one in verified.answer["rows"]}
    if found != planted or verified.answer["differences"] != len(planted):
        faults.append(f"verify: {verified.answer['differences']} found of {len(planted)} planted")
    for number in range(kills):
        pipeline.drop(f"during-{number}.csv", HEADER + row(f"during-{number}"))
        killed(commands, random.uniform(1, 10), "rebuild", "accounts", "--yes")
    pipeline.drop("during.csv", HEADER + row("during"))
    rebuilt = Run(commands, folder, "rebuild", "accounts", "--yes")
    pipeline.wait_until_idle(_PATIENCE)
    after = Run(commands, folder, "verify", "accounts")
    if rebuilt.code or after.code or pipeline.scores(["during"]) != {"during": 700}:
        faults.append(f"rebuild: exit code {rebuilt.code}, then {after.answer}")
    figures = {
        "rows": rows,
        "files": verified.answer["files"],
        "planted": len(planted),
        "found": len(found),
        "verify, seconds": round(verified.seconds, 1),
        "verify, its own peak MB": round(verified.peak_mb),
        "rebuild, seconds": round(rebuilt.seconds, 1),
        "rebuild, its own peak MB": round(rebuilt.peak_mb),
    }
    return figures, faults


def main(
    rows: Annotated[int, typer.Option(min=5000)] = 1_000_000,
    changes: Annotated[int, typer.Option(min=4)] = 200,
    kills: Annotated[int, typer.Option(help="Of each command, with kill -9, before it is run to its end.")] = 5,
) -> None:
    """Make the table, plant, verify, rebuild."""
    with tempfile.TemporaryDirectory(prefix="dropmerge-verify-") as name:
        folder = Path(name)
        with running(folder, write_feeds(folder / "feeds")) as pipeline:
            figures, faults = check(pipeline, folder, rows, changes, kills)
    typer.echo(json.dumps(figures, indent=2))
    for one in faults:
        typer.echo(one, err=True)
    if faults:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
