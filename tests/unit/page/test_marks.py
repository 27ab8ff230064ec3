"""Each state has a shape and a colour beside its word."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from deploy.topology import ROOT
from dropmerge.operations.actions.read import SILENT_AFTER, RecordedAction
from dropmerge.operations.dead_letters.ends import LetterState
from dropmerge.operations.loads.states import State
from dropmerge.operations.status.states import FeedState, ServiceState
from dropmerge.page.marks import mark

_UNKNOWN = mark("a state of tomorrow")


@pytest.mark.parametrize("state", [*FeedState, *ServiceState, *State, *LetterState], ids=str)
def test_every_state_has_a_mark(state: str) -> None:
    """Of feeds, services, files and dead letters. One that this version does not know has another shape."""
    found = mark(state)
    assert found.word == state.replace("_", " ")
    assert (found.shape, found.colour) != (_UNKNOWN.shape, _UNKNOWN.colour)


def test_every_state_of_an_action_has_a_mark() -> None:
    """From its record to its end, and when nobody says anything of it any more."""
    now = datetime.now(UTC)
    long_ago = now - 2 * SILENT_AFTER
    ends: list[Mapping[str, object]] = [
        {"outcome": "done", "done": 2, "merged": 2},
        {"outcome": "done", "done": 2, "merged": 1, "came_back": 1},
        {"outcome": "done", "done": 2, "merged": 0, "came_back": 2},
        {"outcome": "done", "done": 0, "merged": 0, "taken": ["1", "2"]},
        *({"outcome": outcome} for outcome in ("cancelled", "held_back", "failed")),
    ]
    actions = [
        _action(now, {}, is_ended=False),
        _action(now, {"done": 1}, is_ended=False),
        _action(long_ago, {"done": 1}, is_ended=False),
        *(_action(long_ago, end, is_ended=True) for end in ends),
    ]
    states = [one.state for one in actions]
    assert states == [
        *("starting", "running", "silent", "done", "done_in_part", "not_merged", "done_in_part"),
        *("stopped", "stopped", "failed"),
    ]
    assert {mark(one).colour for one in ("done_in_part", "not_merged")} & {mark("done").colour} == set()
    assert all((mark(one).shape, mark(one).colour) != (_UNKNOWN.shape, _UNKNOWN.colour) for one in states)


def test_states_of_one_kind_are_told_apart_without_colours() -> None:
    """By their words; where two share a shape, it is one that says the same of both."""
    shapes = [mark(state).shape for state in FeedState]
    assert len(set(shapes)) >= len(shapes) - 1


@pytest.mark.parametrize("state", [*FeedState, *ServiceState, *State, *LetterState, "a state of tomorrow"], ids=str)
def test_every_colour_is_one_of_the_style_sheet(state: str) -> None:
    sheet = (ROOT / "dropmerge" / "page" / "static" / "page.css").read_text()
    assert f".{mark(state).colour} {{ color: var(--" in sheet


def _action(last_word_at: datetime, progress: Mapping[str, object], *, is_ended: bool) -> RecordedAction:
    return RecordedAction("0" * 12, "replay", "ada", last_word_at, 2, None, last_word_at, False, is_ended, progress)
