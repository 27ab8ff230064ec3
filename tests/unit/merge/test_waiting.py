"""G5: who waits for a main table, who has its turn, who is answered by another's MERGE, and who finds no place."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from services.merge.turns import Times, Turn, Turns
from services.shared.errors import TransientError

_TABLE = "main.accounts"
_NO_END = Times(1e9, 1e9)
_PATIENCE = 30.0


@contextmanager
def _pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def _waits(turns: Turns, count: int, table: str = _TABLE) -> None:
    """Returns once so many messages wait for the table, the one that has its turn among them."""
    _await(lambda: table in turns._tables and len(turns._tables[table].waiting) == count)


def _await(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.001)


def _follow(turns: Turns, load_id: str, times: Times = _NO_END, is_urgent: bool = False) -> str:
    with turns.turn(_TABLE, load_id, times, is_urgent) as turn:
        return "followed" if turn.is_merged else "led"


def test_g5_whoever_waited_for_a_group_is_answered_by_its_merge() -> None:
    """Without a turn of its own; whose load was not in the group has the next one."""
    turns = Turns()
    with _pool() as pool:
        with turns.turn(_TABLE, "first", _NO_END) as turn:
            inside, outside = pool.submit(_follow, turns, "inside"), pool.submit(_follow, turns, "outside")
            _waits(turns, 3)
            turn.cover()
            turn.answer({"first", "inside"})
            assert inside.result(_PATIENCE) == "followed"
        assert outside.result(_PATIENCE) == "led"


def test_g5_those_that_one_merge_answers_go_a_few_at_a_time() -> None:
    """Four of twenty are awake until one of them has left; in the end all have been answered."""
    turns, go_on, inside = Turns(), threading.Event(), list[str]()
    end = time.monotonic() + _PATIENCE

    def follow(load_id: str) -> bool:
        with turns.turn(_TABLE, load_id, Times(end, end)) as turn:
            inside.append(load_id)
            go_on.wait(_PATIENCE)
            return turn.is_merged

    ids = [str(number) for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        with turns.turn(_TABLE, "first", _NO_END) as turn:
            followers = []
            for count, load_id in enumerate(ids, 2):
                followers.append(pool.submit(follow, load_id))
                _waits(turns, count)
            turn.cover()
            turn.answer(ids)
            _await(lambda: len(inside) == 4)
            awake = [one.load_id for one in turns._tables[_TABLE].waiting if one.is_called]
            assert awake == ids[:4]
        go_on.set()
        assert all(one.result(_PATIENCE) for one in followers)


def test_g5_a_turn_goes_to_who_has_waited_longest_and_has_time_for_it() -> None:
    """The first of three cannot lead any more: the second does, and then the third."""
    now, led = [90.0], list[str]()
    turns = Turns(clock=lambda: now[0])

    def lead(load_id: str, times: Times) -> None:
        with turns.turn(_TABLE, load_id, times):
            led.append(load_id)

    with _pool() as pool:
        with turns.turn(_TABLE, "leader", _NO_END):
            waiting = []
            for count, times in enumerate((Times(100, 200), _NO_END, _NO_END), 2):
                waiting.append(pool.submit(lead, str(count), times))
                _waits(turns, count)
            now[0] = 100.0
        with pytest.raises(TransientError, match="too long"):
            waiting[0].result(_PATIENCE)
        assert [one.result(_PATIENCE) for one in waiting[1:]] == [None, None]
    assert led == ["3", "4"]


def test_g2_who_came_after_the_staging_tables_were_listed_looks_for_itself() -> None:
    """Its table may have been made again since, and would be left behind."""
    turns = Turns()
    with _pool() as pool:
        with turns.turn(_TABLE, "first", _NO_END) as turn:
            turn.cover()
            late = pool.submit(_follow, turns, "first")
            _waits(turns, 2)
            turn.answer({"first"})
        assert late.result(_PATIENCE) == "led"


def test_g5_a_busy_table_leaves_a_place_for_each_other() -> None:
    """Of 10 threads 8 wait for one, 1 for the next, and one more for a third; nobody waits to be refused."""
    turns = Turns(10)
    release = threading.Event()

    def hold(table: str) -> None:
        with turns.turn(table, "x", _NO_END):
            release.wait(_PATIENCE)

    with ThreadPoolExecutor(10) as pool:
        for table, places in (("busy", 8), ("other", 1), ("third", 1)):
            held = [pool.submit(hold, table) for _ in range(places)]
            _waits(turns, places, table)
            with pytest.raises(TransientError, match=f"{places} messages wait for {table} already"):
                turns.turn(table, "one more", _NO_END).__enter__()
        release.set()
    assert all(one.exception() is None for one in held)


def test_g5_whoever_is_merged_keeps_nobody_from_a_place() -> None:
    """Eight places are taken; while those seven that one MERGE answers are still on their way out, seven are free."""
    turns, go_on = Turns(10), threading.Event()

    def leave_late(load_id: str) -> None:
        with turns.turn(_TABLE, load_id, _NO_END):
            go_on.wait(_PATIENCE)

    with ThreadPoolExecutor(20) as pool:
        with turns.turn(_TABLE, "first", _NO_END) as turn:
            merged = [pool.submit(leave_late, str(number)) for number in range(7)]
            _waits(turns, 8)
            with pytest.raises(TransientError, match="8 messages wait"):
                turns.turn(_TABLE, "too early", _NO_END).__enter__()
            turn.cover()
            turn.answer([str(number) for number in range(7)])
            more = [pool.submit(_follow, turns, f"more-{number}") for number in range(7)]
            _waits(turns, 15)
            with pytest.raises(TransientError, match="8 messages wait"):
                turns.turn(_TABLE, "one more", _NO_END).__enter__()
        go_on.set()
        assert [one.result(_PATIENCE) for one in merged] == [None] * 7
        assert [one.result(_PATIENCE) for one in more] == ["led"] * 7


def test_g5_a_turn_comes_only_to_who_has_time_for_a_merge() -> None:
    """The clock is the test's: at 100 the turn is over, at 90 too little is left to lead, at 110 to answer."""
    now = [90.0]
    turns = Turns(clock=lambda: now[0])
    with pytest.raises(TransientError, match="too long"):
        _follow(turns, "late", Times(90, 110))
    with _pool() as pool:
        with turns.turn(_TABLE, "leader", _NO_END) as turn:
            # Who cannot lead any more can still be answered.
            follower = pool.submit(_follow, turns, "follower", Times(90, 110))
            _waits(turns, 2)
            turn.cover()
            turn.answer({"follower"})
        assert follower.result(_PATIENCE) == "followed"
    with turns.turn(_TABLE, "leader", _NO_END):
        now[0] = 110.0
        with pytest.raises(TransientError, match="too long"):
            _follow(turns, "follower", Times(90, 110))


def _answer(turns: Turns, count: int = 20) -> Turns:
    """So many messages were acknowledged."""
    for n in range(count):
        assert _follow(turns, str(n)) == "led"
    return turns


def _linger(turns: Turns, until: float, ready: threading.Event, enough: int = 3) -> float:
    with turns.turn(_TABLE, "leader", _NO_END) as turn:
        ready.set()
        turn.linger(until, enough)
        return time.monotonic()


def _lingering(pool: ThreadPoolExecutor, turns: Turns) -> Future[Any]:
    ready = threading.Event()
    leader = pool.submit(_linger, turns, time.monotonic() + 600, ready)
    assert ready.wait(_PATIENCE)
    return leader


def test_a_turn_that_lingers_waits_until_it_is_due() -> None:
    turns, until = _answer(Turns()), time.monotonic() + 0.2
    assert _linger(turns, until, threading.Event()) >= until
    assert _linger(turns, time.monotonic() - 1, threading.Event())


def test_g5_nobody_lingers_whose_message_may_be_all_that_pubsub_pushes() -> None:
    """A process that has just started, or that refused messages, answers some first."""
    turns, far = Turns(), time.monotonic() + 600
    for _ in range(2):
        assert _linger(turns, far, threading.Event()) < far
    with _pool() as pool:
        leader = _lingering(pool, turns)
        # Two have been acknowledged since, and of another table comes a second that waits.
        with turns.turn("main.other", "x", _NO_END):
            assert leader.result(_PATIENCE) < far
    with pytest.raises(ZeroDivisionError):
        _fail(_answer(turns), None)
    assert turns._answered == 12


def test_a_message_that_cannot_wait_ends_the_lingering() -> None:
    turns = _answer(Turns())
    with _pool() as pool:
        leader = _lingering(pool, turns)
        urgent = pool.submit(_follow, turns, "replayed", _NO_END, True)
        assert leader.result(_PATIENCE)
        assert urgent.result(_PATIENCE) == "led"


def test_a_full_group_does_not_linger() -> None:
    """Three are enough here; two are not."""
    turns = _answer(Turns())
    with _pool() as pool:
        leader = _lingering(pool, turns)
        second = pool.submit(_follow, turns, "second")
        _waits(turns, 2)
        assert not leader.done()
        third = pool.submit(_follow, turns, "third")
        assert leader.result(_PATIENCE)
        assert [one.result(_PATIENCE) for one in (second, third)] == ["led", "led"]


def test_g5_a_message_that_finds_no_place_ends_the_lingering() -> None:
    turns = Turns(2)
    _answer(turns)
    with _pool() as pool:
        leader = _lingering(pool, turns)
        with pytest.raises(TransientError, match="1 messages wait for"):
            _follow(turns, "one more")
        assert leader.result(_PATIENCE)


def test_a_merge_is_remembered_for_the_next_turn() -> None:
    now = [50.0]
    turns = Turns(clock=lambda: now[0])

    def last() -> tuple[float | None, float]:
        with turns.turn(_TABLE, "x", _NO_END) as turn:
            found = turn.merged_at, turn.merge_seconds
            turn.record_merge(3.0)
            return found

    assert (last(), last()) == ((None, 0.0), (50.0, 3.0))


def test_g5_a_turn_that_fails_is_passed_on() -> None:
    turns = Turns()
    with _pool() as pool:
        with pytest.raises(ZeroDivisionError):
            _fail(turns, pool)
        assert _follow(turns, "next") == "led"


def _fail(turns: Turns, pool: ThreadPoolExecutor | None) -> Turn:
    with turns.turn(_TABLE, "first", _NO_END):
        if pool:
            pool.submit(_follow, turns, "waits")
            _waits(turns, 2)
        raise ZeroDivisionError
