"""Random histories, as a hypothesis strategy; and some of them run, on a pipeline and with a seed."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.harness.histories.feeds import CONTRACTS, header
from tests.harness.histories.history import Deliver, Drop, File, GiveUp, History, Replay, Restage, Step, WaitUntilIdle
from tests.harness.histories.runner import Counts, run
from tests.harness.histories.seeded import for_each
from tests.harness.pipeline import Pipeline

# Few keys and versions, so that rows meet, and several texts for one value. A feed's columns by name.
GOOD: Mapping[str, Mapping[str, list[str]]] = {
    "readings": {
        "sensor": ["1", "2", "-3", "+1", "02"],
        "seq": ["1", "2", "0", "02", "-9223372036854775808"],
        "value": ["1.5", "", "-0.25", "15e-1", "2", "10"],
        "ok": ["true", "", "false", "TRUE"],
        "note": ["x", "", "y", ' a "quoted", \r\n ünd ', "10", "9", "NULL"],
        "op": ["U", "D", "", "d"],
    },
    "prices": {
        "rev": ["1", "2", "1.0", "1.000000001", "-0.5", "10"],
        "sku": ["k", "l", "K", "k;l", " k"],
        "amount": ["5", "", "5.00", "0.123456789", "1000", "40"],
        "day": ["2024-02-29", "2024-03-01"],
    },
    "people": {
        "id": ["1", "1.0", "-0.5", "99999999999999999999999999999.999999999"],
        "name": ["Ann", "Bob", "😀", "é"],
        "as_of": ["2024-01-01", "2024-01-02", "2023-12-31"],
        "born": ["", "1990-05-05", "0001-01-01"],
        "removed": ["0", "1", ""],
    },
    "events": {
        "n": ["1", "", "9", "5", "05"],
        "at": ["2025-01-01T00:00:00Z", "2025-01-01T02:00:00+02:00", "2025-01-01 00:00:00.000001Z"],
        "urgent": ["true", "false", "True"],
        "seen": [
            "2025-06-01T12:00:00Z",
            "2025-06-01T07:30:00-04:30",
            "2025-06-01T12:00:00.5Z",
            "2025-05-31T12:00:00Z",
        ],
        "first": ["", "2025-01-01T00:00:00Z", "1999-12-31T23:59:59Z"],
        "kind": ["new", "gone", ""],
    },
}
BAD: Mapping[str, Mapping[str, list[str]]] = {
    "readings": {
        "sensor": ["", "1.0", "0x1"],
        "seq": ["", "9223372036854775808"],
        "value": ["NaN", "1e400"],
        "ok": ["yes"],
        "note": ["caf\ufffd"],
        "op": ["\ufffd"],
    },
    "prices": {
        "rev": ["", "1e3", "0.0000000001"],
        "sku": ["", "k\ufffd"],
        "amount": ["-1", "1000.000000001", "ten", "1" + "0" * 29],
        "day": ["2023-02-29", ""],
    },
    "people": {"id": ["one", ""], "name": [""], "as_of": ["2999-01-01", ""], "born": ["1.1.1990"]},
    "events": {
        "n": ["0", "10"],
        "at": ["", "2025-01-01T00:00:00", "2025-01-01T00:00:00+14:01", "0001-01-01T00:00:00+00:01"],
        "urgent": ["1"],
        "seen": ["2999-01-01T00:00:00Z"],
    },
}


def _rarely(draw: DrawFn, one_in: int) -> bool:
    return draw(st.integers(0, one_in - 1)) == one_in - 1


@st.composite
def _pools(draw: DrawFn, feed: str) -> Mapping[str, list[str]]:
    """The good texts of one feed in one history: of keys and versions a few, so that rows of different files meet."""
    few = {*CONTRACTS[feed].key, CONTRACTS[feed].version}
    return {
        name: draw(st.lists(st.sampled_from(texts), min_size=1, max_size=2, unique=True)) if name in few else texts
        for name, texts in GOOD[feed].items()
    }


@st.composite
def _files(draw: DrawFn, feeds: Mapping[str, Mapping[str, list[str]]]) -> File:
    """Most are well formed; some rows are bad, few files are."""
    feed = draw(st.sampled_from(list(feeds)))
    good, bad, names = feeds[feed], BAD[feed], list(header(feed))
    marker = CONTRACTS[feed].marker
    if _rarely(draw, 5):
        names = draw(st.permutations(names))
    if marker and _rarely(draw, 6):
        names.remove(marker[0])
    if _rarely(draw, 25):
        names[-1] += "s"
    rows = []
    for _ in range(draw(st.integers(0, 4))):
        row = {name: draw(st.sampled_from(texts)) for name, texts in good.items()}
        if _rarely(draw, 10):
            name = draw(st.sampled_from(list(bad)))
            row[name] = draw(st.sampled_from(bad[name]))
        rows.append(tuple(row.get(name, "") for name in names))
    if rows and _rarely(draw, 4):
        rows.append(draw(st.sampled_from(rows)))
    return File(
        feed,
        draw(st.sampled_from(["a.csv", "b.csv", "c d.csv", "sub/é*.csv"])),
        tuple(rows),
        tuple(names) if tuple(names) != header(feed) else (),
        newline=draw(st.sampled_from(["\n", "\n", "\r\n"])),
        quoted=_rarely(draw, 4),
        tail=draw(st.sampled_from(['"never closed', "too,few\n", '"x"y\n'])) if _rarely(draw, 20) else "",
    )


@st.composite
def histories(draw: DrawFn) -> History:
    """Two to six files of one feed or two; steps name them in any order."""
    names = draw(st.lists(st.sampled_from(list(CONTRACTS)), min_size=1, max_size=2, unique=True))
    feeds = {name: draw(_pools(name)) for name in names}
    dropped = draw(st.lists(_files(feeds), min_size=2, max_size=6))
    index = st.integers(0, len(dropped) - 1)
    # Most of what happens is that a file arrives and is merged before the next.
    step: SearchStrategy[tuple[Step, ...]] = st.one_of(
        index.map(lambda n: (Deliver(n),)),
        index.map(lambda n: (Deliver(n), WaitUntilIdle())),
        index.map(lambda n: (Deliver(n), WaitUntilIdle())),
        index.map(lambda n: (Drop(n),)),
        index.map(lambda n: (Restage(n),)),
        index.map(lambda n: (GiveUp(n),)),
    )
    steps = [one for some in draw(st.lists(step, min_size=2, max_size=8)) for one in some]
    if _rarely(draw, 3):
        steps.insert(draw(st.integers(0, len(steps))), Replay())
    return History(tuple(dropped), tuple(steps))


def run_random(pipeline: Pipeline, number: int, examples: int = 10) -> Counts:
    """Run `examples` histories that the seed `number` decides. Mismatches are collected, not raised.

    Does not repeat or shrink what fails: with faults about, no second run is the same.
    """
    counts = Counts()

    def one(history: History) -> None:
        try:
            run(pipeline, history, counts)
        except AssertionError as error:
            counts.mismatches.append(str(error))

    for_each(histories(), number, examples, one)
    return counts
