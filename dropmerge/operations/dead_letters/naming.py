"""The dead letter that a person names: by its id, or by its file."""

from __future__ import annotations

from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.filters import Filter
from dropmerge.operations.dead_letters.kept import KeptLetter, kept_letters
from dropmerge.operations.dead_letters.latest import generation_of
from dropmerge.operations.dead_letters.reading import read_dead_letters
from dropmerge.operations.dead_letters.summary import Summary
from dropmerge.operations.errors import UsageError
from dropmerge.operations.file_name import name_of_file
from services.shared.messages.dead_letter import DeadLetter


def find_letter(connection: Connection, text: str) -> str:
    """Its id. Of a file's dead letters the youngest that is waiting, else the youngest that has ended.

    Raises UsageError where no file, or several, fit; as `Warehouse`, and NoAnswer.
    """
    if text.isdecimal():
        return text
    wanted = Filter(file=name_of_file(text))
    waiting = list(read_dead_letters(connection, wanted, Summary()))
    return _youngest(text, waiting or [one.letter for one in kept_letters(connection) if wanted.wants(one.letter)])


def find_discarded(connection: Connection, text: str) -> str:
    """Its id. Of a file's dead letters the youngest that has ended. Raises as `find_letter`."""
    if text.isdecimal():
        return text
    wanted = Filter(file=name_of_file(text))
    ended: list[KeptLetter] = [one for one in kept_letters(connection, "ended") if wanted.wants(one.letter)]
    return _youngest(text, [one.letter for one in ended])


def _youngest(text: str, found: list[DeadLetter]) -> str:
    uris = sorted({generation_of(one).uri for one in found})
    if not uris:
        raise UsageError(
            f"no dead letter of {text!r} is known: `dropmerge dead-letters list` lists those that are waiting"
        )
    if len(uris) > 1:
        raise UsageError("\n".join([f"{text!r} fits {len(uris)} files: name one of them", *map("  {}".format, uris)]))
    return max(found, key=lambda one: one.at).id
