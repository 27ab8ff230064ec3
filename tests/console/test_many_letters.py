"""Ten thousand dead letters, and replays that are killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.local.environment import ROOT
from services.console.publish import publish
from tests.console.conftest import INGEST_LETTERS, Commands, empty_dead_letters, paused, pull_all
from tests.guarantees.pipeline import HEADER, Pipeline, row

MANY = 10_000
_DATA = 8192
_MEASURED = """
import atexit, sys
from pathlib import Path
atexit.register(lambda: Path(sys.argv[1]).write_text(Path("/proc/self/status").read_text()))
from services.console.__main__ import app
app(sys.argv[2:])
"""


def measured(commands: Commands, folder: Path, *words: str) -> tuple[str, int]:
    """What a command prints, and its peak resident memory in bytes."""
    peak = folder / "peak"
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(peak), *words],
        cwd=ROOT, env={**os.environ, **commands.variables}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    (kilobytes,) = [line.split()[1] for line in peak.read_text().splitlines() if line.startswith("VmHWM")]
    return done.stdout, int(kilobytes) * 1024


def letters(count: int) -> list[tuple[bytes, dict[str, str]]]:
    """Messages that ingest ignores, each with data of its own."""
    return [
        (
            f"{n:08}".encode() * (_DATA // 8),
            {
                "eventType": "OBJECT_METADATA_UPDATE",
                "bucketId": "landing",
                "objectId": f"incoming/accounts/many-{n}.csv",
                "objectGeneration": "7",
                "dropmerge_reason": "wrong_header",
                "dropmerge_error": "many",
            },
        )
        for n in range(count)
    ]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
def test_ten_thousand_letters_in_bounded_memory(pipeline: Pipeline, commands: Commands, tmp_path: Path) -> None:
    """Listed, then replayed: every original once, byte for byte; the memory does not hold their 80 MB."""
    empty_dead_letters(pipeline)
    _, idle = measured(commands, tmp_path, "dead-letters", "list", "--json")
    publish(pipeline.connection, INGEST_LETTERS, letters(MANY))
    started = time.monotonic()
    text, listing = measured(commands, tmp_path, "dead-letters", "list", "--json")
    took_list = time.monotonic() - started
    assert len({one["id"] for one in json.loads(text)}) == MANY
    with paused(pipeline, "ingest") as path:
        started = time.monotonic()
        text, replaying = measured(commands, tmp_path, "dead-letters", "replay", "--json")
        took_replay = time.monotonic() - started
        assert len(set(json.loads(text))) == MANY
        found = pull_all(pipeline, path, MANY)
    assert sorted(message.data for message in found) == [data for data, _ in letters(MANY)]
    assert {message.attributes["replay_count"] for message in found} == {"1"}
    assert pipeline.connection.undelivered(INGEST_LETTERS) == 0
    print(
        f"\n{MANY} letters of {_DATA} bytes: listed in {took_list:.1f} s, peak {listing / 1e6:.0f} MB; replayed in"
        f" {took_replay:.1f} s, peak {replaying / 1e6:.0f} MB; with none, peak {idle / 1e6:.0f} MB"
    )
    assert max(listing, replaying) - idle < MANY * _DATA * 0.75


@pytest.mark.slow
def test_replay_killed_ten_times_loses_and_doubles_nothing(pipeline: Pipeline, commands: Commands) -> None:
    """SIGKILL while it publishes, or just after it acknowledged: the rest is replayed, every file merged once."""
    empty_dead_letters(pipeline)
    keys = [f"killed-{n}" for n in range(24)]
    with paused(pipeline, "ingest") as path:
        uris = [pipeline.drop(f"{key}.csv", HEADER + row(key, 400 + n)) for n, key in enumerate(keys)]
        arrived = pull_all(pipeline, path, len(keys))
    ours = {"dropmerge_reason": "access_denied", "dropmerge_error": "made by a test"}
    publish(pipeline.connection, INGEST_LETTERS, [(m.data, {**m.attributes, **ours}) for m in arrived] * 10)
    with paused(pipeline, "ingest"):
        kills = 0
        while kills < 10:
            # Right after it published, or right after it acknowledged.
            kills += _replay_and_kill(pipeline, commands, "ingest" if kills % 2 else INGEST_LETTERS)
    while pipeline.connection.undelivered(INGEST_LETTERS):
        commands.run("dead-letters", "replay")  # the leases of the killed ones lapse after a while
    pipeline.settle()
    assert [pipeline.explain(uri)["state"] for uri in uris] == ["merged"] * len(uris)
    assert pipeline.scores(keys) == {key: 400 + n for n, key in enumerate(keys)}
    ids = ",".join(str(pipeline.explain(uri)["load_id"]) for uri in uris)
    entries = pipeline.connection.rows(
        "SELECT load_id, COUNT(*) AS n FROM `ops.ledger` WHERE load_id IN UNNEST(SPLIT(@ids)) GROUP BY load_id",
        {"ids": ("STRING", ids)},
    )
    assert [entry["n"] for entry in entries] == [1] * len(uris)


def _replay_and_kill(pipeline: Pipeline, commands: Commands, watched: str) -> bool:
    """Kill a slow replay once `watched` changes; False if it came to its end before."""
    before = pipeline.connection.undelivered(watched)
    with commands.start("dead-letters", "replay", "--rate", "8", stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            if pipeline.connection.undelivered(watched) != before:
                process.send_signal(signal.SIGKILL)
                process.wait(timeout=10)
                return True
    return False
