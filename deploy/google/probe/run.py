"""Ask the questions, some at a time, and hold the verdicts against what is expected."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from deploy import costs
from deploy.google.probe import expressions, files, large, messages, objects, statements
from deploy.google.probe.question import NOT_HERE, Answer, Question, outcome
from deploy.google.probe.scratch import Scratch

_AT_ONCE = 8
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Answered:
    question: Question
    answer: Answer
    local: str
    """What the local cloud is known to say."""
    expected: tuple[str, ...]

    @property
    def is_as_expected(self) -> bool:
        return self.answer.verdict in self.expected


def questions(with_large: bool) -> list[Question]:
    found = [*files.questions(), *objects.questions(), *statements.questions(), *expressions.questions()]
    return [*found, *messages.questions(), *(large.questions() if with_large else ())]


def dollars(asked: Sequence[Question]) -> float:
    """What they cost at most, by the list prices of deploy.costs."""
    scanned = sum(one.most_bytes for one in asked) / costs.TIB * costs.QUERY_TIB
    return scanned + sum(one.operations for one in asked) * costs.CLASS_A


def ask_all(
    asked: Sequence[Question],
    scratch: Scratch,
    is_local: bool,
    stop: threading.Event,
    progress: Callable[[int, int], None],
) -> dict[str, Answer]:
    """By name, in order. Once `stop` is set no further question is begun, and those that are asked are waited for."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        futures = {one.name: pool.submit(_ask, one, scratch, is_local) for one in asked}
        for done in _done(list(futures.values()), stop):
            progress(done, len(futures))
        pool.shutdown(cancel_futures=stop.is_set())
    return {name: future.result() for name, future in futures.items() if not future.cancelled()}


def _done(futures: Sequence[Future[Answer]], stop: threading.Event) -> Iterator[int]:
    """How many are done: each number once, also where several end at the same moment."""
    pending = set(futures)
    while pending and not stop.is_set():
        before = len(futures) - len(pending)
        pending = wait(pending, _LOOK_SECONDS, FIRST_COMPLETED).not_done
        yield from range(before + 1, len(futures) - len(pending) + 1)


def _ask(question: Question, scratch: Scratch, is_local: bool) -> Answer:
    if is_local and question.only_google:
        return Answer(NOT_HERE)
    try:
        return outcome(lambda: question.ask(scratch))
    except Exception as error:
        # A fault of the probe's own, which is not to cost the answers to all others.
        return Answer(f"no answer ({type(error).__name__})", traceback.format_exc(limit=-2))


def compare(question: Question, answer: Answer, local: str, is_local: bool) -> Answered:
    """The local cloud is held to what it is known to say, and Google to what is expected of it."""
    expected = (local,) if is_local or not question.expected else question.expected
    return Answered(question, answer, local, expected)
