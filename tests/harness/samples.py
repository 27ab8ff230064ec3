"""A pipeline in which every page of the console has something to show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.harness.commands import Commands
from tests.harness.dead_letters import ours, put, wait_for_the_table
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription, wait_until

_PAGE = 50
"""Of how many files, and of how many dead letters, a page of theirs has at most."""


@dataclass(frozen=True)
class Samples:
    merged: str
    """A file that was merged together with others, as gs://bucket/object#generation."""
    rejecting: str
    """Merged, though for one row."""
    wrong_header: str
    """The dead letter of one that waits; as those below, its id."""
    too_many: str
    no_feed: str
    discarded: str
    came_back: str
    """One that was replayed."""
    older: str
    """The first of many that are alike."""


def drop_samples(pipeline: Pipeline) -> Samples:
    """Files of each end, and dead letters: some that wait, one discarded, one that was replayed and came back."""
    commands = Commands.of(pipeline)
    with paused_subscription(pipeline, "merge"):
        together = [pipeline.drop(f"day-{n}.csv", HEADER + row(f"day-{n}")) for n in range(_PAGE + 2)]
        wait_until(lambda: pipeline.connection.undelivered("merge") == len(together), "staged")
    header = HEADER.replace("credit_score", "score")
    pipeline.drop("over.csv", HEADER + row("over", 600))
    over = pipeline.drop("over.csv", HEADER + row("over", 610, 2))
    rejecting = pipeline.drop("some.csv", HEADER + row("good", 650) + row("bad", "high"), "tolerant")
    wrong_header = pipeline.drop("header.csv", header)
    too_many = pipeline.drop("half.csv", HEADER + row("half") + row("half-2", "low"))
    no_feed = pipeline.drop("copy.csv", HEADER + row("copy"), "nowhere")
    discarded = pipeline.drop("given-up.csv", header)
    replayed = pipeline.drop("again.csv", header)
    pipeline.wait_until_idle()
    assert pipeline.explain(over)["state"] == "merged"

    ids = {uri: pipeline.dead_letter(uri).id for uri in (wrong_header, too_many, no_feed, discarded, replayed)}
    wait_for_the_table(pipeline)
    commands.run("dead-letters", "discard", "--id", ids[discarded], "--why", "the supplier sent it twice", "--yes")
    commands.run("dead-letters", "replay", "--id", ids[replayed], "--yes")
    pipeline.wait_until_idle()
    older = put_letters(pipeline, (f"incoming/accounts/older-{n}.csv" for n in range(_PAGE)))
    waiting = (ids[wrong_header], ids[too_many], ids[no_feed])
    return Samples(together[0], rejecting, *waiting, ids[discarded], ids[replayed], older[0])


def put_letters(pipeline: Pipeline, names: Iterable[str]) -> list[str]:
    """One dead letter of an object of each name, which the journal has never heard of."""
    found = [put(pipeline, ours(name, dropmerge_feed="accounts")) for name in names]
    wait_for_the_table(pipeline)
    return found
