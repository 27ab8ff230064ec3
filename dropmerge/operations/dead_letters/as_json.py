"""Dead letters as scripts read them."""

from __future__ import annotations

from typing import Any

from dropmerge.operations.dead_letters.ends import WAITING, End
from dropmerge.operations.dead_letters.reading import LetterStory
from dropmerge.operations.dead_letters.remedies import remedy_for
from services.shared.messages.dead_letter import DeadLetter
from services.shared.reasons import REASONS

COLUMNS = (
    *("id", "service", "reason", "error", "feed", "bucket", "object", "generation", "contract", "attempts"),
    *("dead_lettered_at", "replay_of", "replay_count", "superseded_by", *WAITING.as_json()),
)
"""The keys of `letter_json`."""


def letter_json(one: DeadLetter, newer: int | None, end: End) -> dict[str, Any]:
    """`newer`: the generation of its object that is merged, where that is newer than its own."""
    return {**one.summary(), "superseded_by": newer, **end.as_json()}


def story_json(story: LetterStory, newer: int | None) -> dict[str, Any]:
    """With its message, what it came from, and what to do next."""
    came_from = [{"id": one.letter.id, **one.end.as_json()} for one in story.ancestors]
    known = {**story.letter.whole(), "superseded_by": newer, **story.end.as_json(), "came_from": came_from}
    remedy = remedy_for(story.letter.reason)
    meaning = REASONS.get(story.letter.reason)
    return {**known, "next": {"meaning": meaning, "cause": remedy.cause, "fix": remedy.fix}}
