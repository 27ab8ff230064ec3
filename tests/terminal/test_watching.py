"""Commands that only look end on Ctrl-C and leave a screen that can be read."""

import re
import subprocess

from dropmerge.cli.terminal import pluralize
from dropmerge.operations.loads.in_flight import InFlight
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.screen import CTRL_C, Terminal
from tests.harness.subscription import paused_subscription, pull_all


def test_a_detached_local_cloud_outlives_its_terminal(pipeline: Pipeline) -> None:
    """Every part goes on working."""
    assert pipeline.cloud.dead() == []
    uri = pipeline.drop("outlives.csv", HEADER + row("outlives"))
    pipeline.wait_until_idle()
    assert pipeline.explain(uri)["state"] == "merged"


def test_wait_ends_on_ctrl_c_and_at_its_timeout_without_its_spinner(pipeline: Pipeline, shared: Terminal) -> None:
    """The final message stands on lines of its own. A file that is deleted meanwhile is reported all the same."""
    with paused_subscription(pipeline, "ingest") as path:
        pipeline.drop("waiting.csv", HEADER + row("waiting"))
        with shared.types("wait") as screen:
            screen.see("in flight")
            screen.type(CTRL_C)
            screen.ends(130)
        with shared.types("wait", "--timeout", 1) as screen:
            text = screen.ends(1)
        (line,) = [one for one in shown(text) if "waiting.csv#" in one]
        assert line.startswith("gs://landing/incoming/accounts/waiting.csv#")
        assert shown(text)[-1].startswith("after 1 s: ")
        with shared.types("wait", "--since", "0s") as screen:
            # With those that Pub/Sub has given up on: letters are read once nothing moves.
            files = len(InFlight(pipeline.connection).snapshot().pending)
            screen.see(f"{pluralize(files, 'file')} in flight: not arrived")
            pipeline.connection.storage.bucket("landing").blob("incoming/accounts/waiting.csv").delete()
            pull_all(pipeline, path, 2)  # with its own notification
            *lines, counts, last = shown(screen.ends(0))
        (line,) = [one for one in lines if "waiting.csv" in one]
        assert line.startswith(
            "incoming/accounts/waiting.csv  not arrived → dropmerge explain 'gs://landing/incoming/"
        )
        parts = counts.split(", ")
        assert (parts[-1], last) == ("1 not arrived", "nothing is in flight")
        assert sum(int(one.split()[0]) for one in parts) == files


def test_an_upload_shows_its_bytes_at_a_terminal_and_nothing_in_a_pipe(pipeline: Pipeline, shared: Terminal) -> None:
    """No feed looks where the file goes."""
    (shared.folder / "large.bin").write_bytes(bytes(20 * 2**20))
    drop = ("drop", "large.bin", "--to", "gs://landing/elsewhere/large.bin", "--yes")
    with shared.types(*drop) as screen:
        text = screen.ends(0)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    parts = re.findall(r"large\.bin .*?([0-9]+)% ([0-9.]+)/21\.0 MB", plain)
    assert ("40", "8.4") in parts
    assert len(shown(text)) == 1, "the bar is gone at the end"
    blob = pipeline.connection.storage.bucket("landing").get_blob("elsewhere/large.bin")
    assert blob.size == 20 * 2**20
    done = subprocess.run(
        shared.dropmerge(*drop), cwd=shared.folder, env=shared.environment, capture_output=True, check=True
    )
    assert done.stderr == b""
    assert len(done.stdout.splitlines()) == 1


def test_status_watches_until_ctrl_c(pipeline: Pipeline, shared: Terminal) -> None:
    """It is asked to end and does: exit code 0."""
    assert pipeline.cloud.dead() == []
    with shared.types("status", "--watch") as screen:
        screen.see("messages in flight: ")
        screen.type(CTRL_C)
        screen.ends(0)


def shown(text: str) -> list[str]:
    """The lines that are left on the screen, of those that were written and erased."""
    lines: list[str] = [""]
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
        if part == "\n":
            lines.append("")
        elif part == "\x1b[2K":
            lines[-1] = ""
        elif part.endswith("A") and part[0] == "\x1b":
            del lines[-int(part[2:-1] or 1) :]
        elif part[0] not in "\x1b\r":
            lines[-1] += part
    return [line for line in lines if line]
