"""One dead letter: its error, its message, its history across replays, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.as_json import story_json
from dropmerge.operations.dead_letters.newer import with_newer
from dropmerge.operations.dead_letters.reading import LetterStory, read_story
from dropmerge.operations.dead_letters.remedies import remedy_for
from dropmerge.operations.loads.events import COLUMNS, LoadEvent, read_dead_letter_events
from dropmerge.page.arguments import Arguments
from dropmerge.page.command_line import command_line, quoted
from dropmerge.page.site import Site
from dropmerge.page.view_model import ViewModel
from services.shared.messages.dead_letter import DeadLetter
from services.shared.reasons import REASONS


@dataclass(frozen=True)
class _Found:
    story: LetterStory
    events: Sequence[LoadEvent]
    newer: int | None


def letter(site: Site, arguments: Arguments) -> ViewModel:
    """`id`: of the dead letter, whether it waits or not."""
    dead_letter_id = arguments.text("id")
    answer = site.read(("letter", dead_letter_id), lambda connection: _read(connection, dead_letter_id))
    found = answer.value
    one = found.story.letter
    events = [event.as_json() for event in found.events]
    remedy = remedy_for(one.reason)
    return ViewModel(
        f"Dead letter {one.id}",
        "letter.html",
        command_line("dead-letters", "show", one.id),
        answer.as_of,
        json=lambda: {**story_json(found.story, found.newer), "history": events},
        columns=COLUMNS,
        rows=lambda: events,
        values={
            "story": found.story,
            "letter": one,
            "events": found.events,
            "newer": found.newer,
            "cause": _of_this(remedy.cause, one),
            "fix": _of_this(remedy.fix, one),
            "meaning": REASONS.get(one.reason, "This version does not know the reason."),
            "text": one.whole()["text"],
        },
        trouble=answer.trouble,
    )


def _of_this(advice: str, one: DeadLetter) -> str:
    """With the file's name in the commands, where it is known."""
    return advice.replace("--object NAME", f"--object {quoted(one.object)}") if one.object else advice


def _read(connection: Connection, dead_letter_id: str) -> _Found:
    story = read_story(connection, dead_letter_id)
    ((_, newer),) = with_newer(connection, [story.letter])
    return _Found(story, read_dead_letter_events(connection, story.letter), newer)
