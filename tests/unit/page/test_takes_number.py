"""How many dead letters are discarded on a yes is said in one place: the page and the command both ask there."""

from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.datastructures import MultiDict

from dropmerge.cli import dead_letters
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters import replay
from dropmerge.operations.dead_letters.filters import Filter
from dropmerge.operations.dead_letters.summary import Summary
from dropmerge.operations.errors import UsageError
from dropmerge.page.views.act import read_form


class _Asked(Exception):
    """With what would have to be typed."""


def _asked_by_the_command(count: int, monkeypatch: pytest.MonkeyPatch) -> str:
    def confirm(_: str, agreed: str) -> None:
        raise _Asked(agreed)

    monkeypatch.setattr(dead_letters, "confirm", confirm)
    seen = Summary(ids=list(map(str, range(count))))
    with pytest.raises(_Asked) as asked:
        dead_letters._run_if_confirmed(
            "discard", Connection("local", Path()), Filter(), seen, lambda wanted, shown: Summary()
        )
    return str(asked.value)


def _form(count: int, typed: str) -> MultiDict[str, str]:
    ids = ",".join(map(str, range(count)))
    return MultiDict({"kind": "discard", "ids": ids, "why": "a trial", "typed": typed})


@pytest.mark.parametrize("most", [100, 3])
def test_more_than_so_many_take_typing_their_number(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of so many, none has to be typed."""
    monkeypatch.setattr(replay, "_MOST_ON_A_YES", most)
    more = most + 1
    assert len(read_form(_form(most, ""), "ada").letters) == most
    with pytest.raises(UsageError, match=f"takes typing how many they are: {more}"):
        read_form(_form(more, ""), "ada")
    assert len(read_form(_form(more, str(more)), "ada").letters) == more
    assert _asked_by_the_command(most, monkeypatch) == "y"
    assert _asked_by_the_command(more, monkeypatch) == str(more)
