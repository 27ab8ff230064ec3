"""What was read last is read once for all who ask, and still shown where it cannot be read anew."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dropmerge.operations.errors import NotDone, UsageError
from dropmerge.page.cache import Cache
from tests.harness.subscription import wait_until

_SECONDS = 10.0
_PATIENCE = 30.0


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Source:
    """Counts how often it is read; each time it has another value."""

    def __init__(self) -> None:
        self.reads = 0
        self.error: Exception | None = None

    def __call__(self) -> int:
        self.reads += 1
        if self.error:
            raise self.error
        return self.reads


def _unread() -> int:
    pytest.fail("it was read")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> Cache:
    return Cache(clock)


@pytest.fixture
def source() -> Source:
    return Source()


def test_an_answer_is_read_anew_once_it_is_old(cache: Cache, clock: Clock, source: Source) -> None:
    """Until then all get the same one, with the time at which it was read."""
    first = cache.get("q", _SECONDS, source)
    clock.now += _SECONDS - 0.1
    assert cache.get("q", _SECONDS, source) is first
    clock.now += 0.1
    second = cache.get("q", _SECONDS, source)
    assert (first.value, second.value) == (1, 2)
    assert second.as_of >= first.as_of


def test_what_took_long_to_read_is_shown_for_as_long(cache: Cache, clock: Clock, source: Source) -> None:
    def slowly() -> int:
        clock.now += 5 * _SECONDS
        return source()

    cache.get("q", _SECONDS, slowly)
    clock.now += 5 * _SECONDS - 0.1
    assert cache.get("q", _SECONDS, _unread).value == 1
    clock.now += 0.1
    assert cache.get("q", _SECONDS, source).value == 2


def test_each_question_has_an_answer_of_its_own(cache: Cache, source: Source) -> None:
    assert [cache.get(question, _SECONDS, source).value for question in ("a", ("a", 1), "a")] == [1, 2, 1]


class Question:
    """Knows who has asked it: whoever asks looks it up by its hash."""

    def __init__(self) -> None:
        self._asked = threading.Condition()
        self._who: set[int] = set()

    def __hash__(self) -> int:
        with self._asked:
            self._who.add(threading.get_ident())
            self._asked.notify_all()
        return 1

    def await_asked(self, by: int) -> None:
        with self._asked:
            assert self._asked.wait_for(lambda: len(self._who) == by, _PATIENCE)


def test_however_many_ask_at_once_it_is_read_once(cache: Cache, source: Source) -> None:
    """Those who ask while the first one reads wait for it, where there is no older answer."""
    question, gate = Question(), threading.Barrier(8)

    def read() -> int:
        question.await_asked(by=8)
        return source()

    def ask(_: int) -> int:
        gate.wait(_PATIENCE)
        return cache.get(question, _SECONDS, read).value

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [1] * 8
    assert source.reads == 1


def test_who_asks_while_another_reads_gets_the_old_answer(cache: Cache, clock: Clock, source: Source) -> None:
    """At once: nobody waits for figures that are there already."""
    cache.get("q", _SECONDS, source)
    clock.now += _SECONDS
    reads, may_end = threading.Event(), threading.Event()

    def slowly() -> int:
        reads.set()
        assert may_end.wait(_PATIENCE)
        return source()

    with ThreadPoolExecutor(1) as pool:
        newer = pool.submit(cache.get, "q", _SECONDS, slowly)
        assert reads.wait(_PATIENCE)
        assert cache.get("q", _SECONDS, _unread).value == 1
        may_end.set()
        assert newer.result(_PATIENCE).value == 2
    assert cache.get("q", _SECONDS, _unread).value == 2


def test_where_it_cannot_be_read_anew_the_old_answer_says_why(cache: Cache, clock: Clock, source: Source) -> None:
    """With its own time; not every viewer tries again at once, and what is read later has no trouble."""
    first = cache.get("q", _SECONDS, source)
    clock.now += _SECONDS
    source.error = NotDone("the warehouse does not answer")
    stale = cache.get("q", _SECONDS, source)
    assert (stale.value, stale.as_of, stale.trouble) == (1, first.as_of, "the warehouse does not answer")
    assert cache.get("q", _SECONDS, source) is stale
    assert source.reads == 2
    clock.now += _SECONDS
    source.error = None
    newer = cache.get("q", _SECONDS, source)
    assert (newer.value, newer.trouble) == (3, None)


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("error", [UsageError("no such feed"), ZeroDivisionError()])
def test_a_wrong_question_and_a_fault_of_ours_are_raised(
    cache: Cache, clock: Clock, source: Source, error: Exception, *, is_known: bool
) -> None:
    """Whether there is an older answer or not; the next who asks reads again."""
    if is_known:
        cache.get("q", _SECONDS, source)
        clock.now += _SECONDS
    source.error = error
    for _ in range(2):
        with pytest.raises(type(error)):
            cache.get("q", _SECONDS, source)
    assert source.reads == 2 + is_known


def test_what_never_answered_is_an_error(cache: Cache, source: Source) -> None:
    source.error = NotDone("the warehouse does not answer")
    with pytest.raises(NotDone):
        cache.get("q", _SECONDS, source)
    source.error = None
    assert cache.get("q", _SECONDS, source).value == 2


def test_who_waited_for_a_reader_that_failed_reads_on_its_own(cache: Cache, source: Source) -> None:
    """Nobody is told of a failure that is not theirs."""
    reads, may_end = threading.Event(), threading.Event()

    def fail() -> int:
        reads.set()
        assert may_end.wait(_PATIENCE)
        raise NotDone("gone")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.get, "q", _SECONDS, fail)
        assert reads.wait(_PATIENCE)
        second = pool.submit(cache.get, "q", _SECONDS, source)
        may_end.set()
        with pytest.raises(NotDone):
            first.result(_PATIENCE)
        assert second.result(_PATIENCE).value == 1


def test_what_was_changed_is_read_anew(cache: Cache, source: Source) -> None:
    """Every answer is forgotten as new; the last one stays, for who asks without reading."""
    assert cache.last("q") is None
    cache.get("q", _SECONDS, source)
    cache.forget()
    last = cache.last("q")
    assert last is not None
    assert last.value == 1
    assert cache.get("q", _SECONDS, source).value == 2


def test_who_has_an_old_answer_does_not_wait_long_for_a_new_one(clock: Clock, source: Source) -> None:
    """It comes later, by itself."""
    cache, may_end = Cache(clock, patience=0.01), threading.Event()
    cache.get("q", _SECONDS, source)
    clock.now += _SECONDS

    def slowly() -> int:
        assert may_end.wait(_PATIENCE)
        return source()

    assert cache.get("q", _SECONDS, slowly).value == 1
    may_end.set()
    wait_until(lambda: cache.get("q", _SECONDS, _unread).value == 2, "read")
    assert source.reads == 2


def test_what_was_read_before_a_change_is_not_shown_after_it(cache: Cache, source: Source) -> None:
    """Also where the change came while it was read; who asks then waits."""

    def meanwhile() -> int:
        cache.forget()
        return source()

    assert cache.get("q", _SECONDS, meanwhile).value == 1
    assert cache.get("q", _SECONDS, source).value == 2


def test_a_hundred_answers_are_kept(cache: Cache, source: Source) -> None:
    """The one that was asked for longest ago goes first."""
    for number in range(100):
        cache.get(number, _SECONDS, source)
    cache.get(0, _SECONDS, _unread)
    cache.get("one more", _SECONDS, source)
    assert cache.get(0, _SECONDS, _unread).value == 1
    assert cache.last(1) is None
    assert cache.last(2) is not None
