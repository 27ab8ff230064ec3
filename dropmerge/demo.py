"""The whole mission in small: generated files become rows of the main table, a dead letter on the way.

Exits 0 only if the main table equals the generator's own answer, row by row, and the poison file was
dead-lettered, fixed, replayed and merged. With --keep the cloud goes on at the end, and the console page shows it.
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
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from deploy.topology import ROOT
from dropmerge.cli.stop_signals import StopSignals
from dropmerge.cli.terminal import ignore_closed_stream
from dropmerge.operations.connection import Connection
from dropmerge.operations.describe_error import describe_error
from dropmerge.operations.loads.in_flight import InFlight
from dropmerge.operations.loads.status import statuses_of
from localcloud.cloud import LocalCloud
from localcloud.errors import CloudError
from services.shared.contract.feed import Feed
from services.shared.generation import ObjectGeneration

_ROWS, _INCREMENTAL_ROWS = 20_000, 5_000
# Many times what they take on a slow machine.
_STEP_SECONDS, _SECONDS = 300.0, 900.0
_KEEP = "--keep"
_OUT = Console(highlight=False, soft_wrap=True)

Row = tuple[Any, ...]
"""A row's values, in the contract's order."""


class DemoFailed(Exception):
    """Something that the demo promises did not hold."""


class Ended(Exception):
    """By a signal, the clock's SIGALRM included."""


class Clock(StopSignals):
    """The time limits of each step and of the whole. They and the stop signals end what the main thread waits for.

    They do so by an exception, whatever it waits for: a child process, an answer of a server.
    """

    def __init__(self) -> None:
        self.step, self.seconds = "", 0.0
        self._deadline = time.monotonic() + _SECONDS
        self._held = False
        super().__init__()
        signal.signal(signal.SIGALRM, self.heard)

    def begin(self, step: str) -> None:
        _say(f"\n[bold]{step}[/bold]")
        self.step, self.seconds = step, min(_STEP_SECONDS, max(1.0, self._deadline - time.monotonic()))
        self._ring(self.seconds)

    def heard(self, number: int, _: object) -> None:
        is_first = not self.asked()
        super().heard(number, _)
        if is_first:
            self._ring(1.0)
        if not self._held and (is_first or number == signal.SIGALRM):
            raise Ended

    def hold(self) -> None:
        """From now on signals are remembered and nothing is raised."""
        self._held = True
        # Or it would ring while the interpreter ends, when its handler is gone, and end it.
        signal.setitimer(signal.ITIMER_REAL, 0)

    @contextmanager
    def held(self) -> Iterator[None]:
        """While parts are started: they watch `asked` themselves."""
        self._held = True
        yield
        self._held = False
        if self.asked():
            raise Ended

    def _ring(self, seconds: float) -> None:
        # Once more each second: an exception that is raised in a library's callback may be lost.
        signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)


def main() -> int:
    """Exit code 1 if it failed or took too long; after a signal, the shell's code for it (130 Ctrl-C).

    With --keep the signal that closes the page is no interruption: by then all has held.
    """
    started, keep = time.monotonic(), _KEEP in sys.argv[1:]
    clock = Clock()
    folder = Path(tempfile.mkdtemp(prefix="dropmerge-demo-"))
    cloud = LocalCloud(folder / "state", lambda line: _say(f"  [dim]{line}[/dim]"), clock.asked)
    problem: str | None = None
    try:
        summary = _Demo(cloud, folder, clock).run()
        if keep:
            _keep_open(folder, summary, clock, started)
    except Exception as error:
        # To describe it may take longer than until the clock rings again.
        clock.hold()
        problem = str(error) if isinstance(error, (DemoFailed, CloudError, psutil.Error)) else describe_error(error)
        if not problem and not clock.asked():
            raise
    finally:
        clock.hold()
        cloud.down()
        _end_children()
    if clock.asked() and clock.number != signal.SIGALRM:
        shutil.rmtree(folder, ignore_errors=True)
        _say("interrupted: everything was stopped, and nothing is left")
        return clock.code
    if problem or clock.asked():
        said = f"took longer than {clock.seconds:.0f} s" if clock.asked() else f"failed: {problem}"
        _say(f"[red]the demo failed: step '{clock.step}' {said}[/red]\nwhat it left: {folder}")
        return 1
    shutil.rmtree(folder)
    if keep:
        _say("everything was stopped, and nothing is left")
        return 0
    _summarize(summary, started)
    _say("`make demo KEEP=1` leaves it running, with the console page open on these data")
    return 0


def _summarize(summary: list[str], started: float) -> None:
    _say("\n[bold]Summary[/bold]")
    for line in [*summary, f"{time.monotonic() - started:.0f} s in all"]:
        _say(f"  {line}")


def _keep_open(folder: Path, summary: list[str], clock: Clock, started: float) -> None:
    """The console page, until a signal ends it. The time limits are over: people look for as long as they like."""
    clock.hold()
    _summarize(summary, started)
    place = ["--state", str(folder / "state"), "--feeds", str(folder / "feeds")]
    _say("\n[bold]The console page[/bold], until Ctrl-C; then everything is stopped, and nothing is left")
    _say(f"  in another terminal: dropmerge status {' '.join(place)}")
    page = subprocess.Popen([sys.executable, "-m", "dropmerge", "console", *place], cwd=ROOT, stdin=subprocess.DEVNULL)
    while page.poll() is None and not clock.asked():
        time.sleep(0.2)
    page.terminate()
    code = page.wait()
    if not clock.asked() and code:
        raise DemoFailed(f"the console page ended with exit code {code}")
    # It has closed the page, and interrupted nothing.
    clock.number = None


class _Demo:
    """Its steps."""

    def __init__(self, cloud: LocalCloud, folder: Path, clock: Clock) -> None:
        self._cloud = cloud
        self._folder = folder
        self._clock = clock
        self._feeds = folder / "feeds"
        self._contract = self._feeds / "accounts.yaml"
        self._expected = folder / "expected.csv"
        self._told: dict[ObjectGeneration, str] = {}
        """The last state shown of each object generation that was dropped."""

    def run(self) -> list[str]:
        """The lines of the summary."""
        self._clock.begin("Starting the local cloud on free ports")
        self._feeds.mkdir()
        # The generator makes some bad rows on purpose; this feed tolerates them.
        deployed = (ROOT / "deploy" / "feeds" / "accounts.yaml").read_text()
        self._contract.write_text(deployed.replace("at_most: 0", "at_most: 5%"))
        self._up()

        self._clock.begin("Generating an initial file, then two with updates, deletes, duplicates, late and bad rows")
        files = self._generate()

        self._clock.begin("Dropping them in the bucket")
        for path in files:
            self._drop(path)
        self._follow()

        self._clock.begin("Comparing the main table with the generator's answer, row by row")
        _say(f"  [green]{_compare(self._expected, self._connection())} rows, all equal[/green]")

        self._clock.begin("A poison file: its header has a column that is not in the contract")
        dead_letter = self._poison()

        self._clock.begin("Fixing it: ignore unknown columns, restart the services, replay the dead letter")
        return self._fix(dead_letter)

    def _up(self, restart: bool = False) -> None:
        with self._clock.held():
            os.environ.update(self._cloud.up(0, self._feeds, restart=restart))

    def _generate(self) -> list[Path]:
        files = [self._folder / f"{name}.csv" for name in ("initial", "incremental-1", "incremental-2")]
        _generate("initial", "--rows", _ROWS, "--seed", 1, "--out", files[0])
        odds = ["--delete-probability", 0.1, "--duplicate-probability", 0.05, "--late-probability", 0.1]
        odds += ["--bad-probability", 0.01]
        for n in (1, 2):
            earlier = [word for path in files[:n] for word in ("--continue-from", path)]
            words = ["--rows", _INCREMENTAL_ROWS, "--seed", n + 1, "--out", files[n]]
            _generate("incremental", *words, *odds, *earlier)
        _python("generator", "expect", *files, "--out", self._expected)
        return files

    def _poison(self) -> dict[str, Any]:
        """Its dead letter."""
        poison = self._folder / "poison.csv"
        poison.write_text(
            "customer_id,account_number,credit_score,account_balance,last_modified,branch\n"
            "poison-customer,poison-account,700,12.50,2026-01-01T00:00:00Z,Delft\n"
        )
        self._drop(poison)
        self._follow()
        dead_letters: list[dict[str, Any]] = json.loads(_dropmerge("dead-letters", "list", "--json"))
        if [dead_letter["reason"] for dead_letter in dead_letters] != ["wrong_header"]:
            raise DemoFailed(f"expected one dead letter, wrong_header; there are {dead_letters}")
        _say(f"  dead letter {dead_letters[0]['id']}: {dead_letters[0]['reason']}: {dead_letters[0]['error']}")
        return dead_letters[0]

    def _fix(self, dead_letter: dict[str, Any]) -> list[str]:
        self._contract.write_text(
            self._contract.read_text().replace("unknown_columns: reject", "unknown_columns: ignore")
        )
        self._up(restart=True)
        _say("  " + _dropmerge("dead-letters", "replay", "--id", dead_letter["id"], "--yes").strip().splitlines()[-1])
        self._follow()
        with self._expected.open("a", newline="") as file:
            file.write("poison-customer,poison-account,700,12.5,2026-01-01T00:00:00.000000Z\n")
        rows = _compare(self._expected, self._connection())
        if json.loads(_dropmerge("dead-letters", "list", "--json")):
            raise DemoFailed("a dead letter is left after the replay")
        _say(f"  [green]{rows} rows, all equal, no dead letter left[/green]")
        status = json.loads(_dropmerge("status", "--json"))["feeds"]["accounts"]
        return [
            f"{status['merged']} files merged, {rows} rows equal to the expected answer",
            f"{status['rejected_rows']} bad rows set aside with their reasons",
            "1 poison file dead-lettered, fixed, replayed and merged",
        ]

    def _connection(self) -> Connection:
        return Connection(os.environ["GOOGLE_CLOUD_PROJECT"], self._feeds)

    def _drop(self, path: Path) -> None:
        (dropped,) = json.loads(_dropmerge("drop", path, "--json"))
        self._told[ObjectGeneration(dropped["bucket"], dropped["object"], dropped["generation"])] = ""

    def _follow(self) -> None:
        """Show each file's progress until nothing is in flight."""
        connection = self._connection()
        in_flight = InFlight(connection)
        while True:
            snapshot = in_flight.snapshot()
            for load in statuses_of(connection, self._told):
                if self._told[load.source] != load.state:
                    self._told[load.source] = load.state
                    _say(f"  {load.source.uri}  [cyan]{load.state}[/cyan]")
            if snapshot.is_idle:
                return
            time.sleep(0.3)


def _end_children() -> None:
    """A child that a signal came upon while it was being started is known to nobody."""
    for child in psutil.Process().children():
        child.kill()


def _say(text: str) -> None:
    with ignore_closed_stream(sys.stdout):
        _OUT.print(text)


def _python(*words: object) -> str:
    """What a command prints. A terminal is not for it: a question would be asked where nobody sees it."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DemoFailed(f"{' '.join(map(str, words))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _generate(*words: object) -> None:
    _python("generator", *words)
    _say(f"  {words[words.index('--out') + 1]}")


def _dropmerge(*words: object) -> str:
    return _python("dropmerge", *words)


def expected_rows(path: Path, feed: Feed) -> list[Row]:
    """The generator's own answer, read by the contract's types."""
    with path.open(newline="", encoding="utf-8") as file:
        names, *records = csv.reader(file)
    kinds = [feed.type_of(name) for name in names]
    return [
        tuple(kind.parse(text) if text else None for kind, text in zip(kinds, one, strict=True)) for one in records
    ]


def current_rows(connection: Connection, feed: Feed) -> list[Row]:
    """What people query: the main table without tombstones."""
    return [row.values() for row in connection.query("current_rows.sql", feed=feed)]


def _compare(expected: Path, connection: Connection) -> int:
    """The number of rows. Every row and column; raises DemoFailed with the first differences."""
    feed = connection.feed("accounts")
    wanted, found = set(expected_rows(expected, feed)), current_rows(connection, feed)
    if len(found) != len(set(found)) or set(found) != wanted:
        missing, extra = list(wanted - set(found))[:3], list(set(found) - wanted)[:3]
        raise DemoFailed(
            f"the main table has {len(found)} rows, but {len(wanted)} are expected; "
            f"missing, such as {missing}; unexpected, such as {extra}"
        )
    return len(found)


if __name__ == "__main__":
    sys.exit(main())
