"""Contracts from YAML files; each fault with its file, line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from services.shared.contract.document import Document, Problem, UnreadableError, read_document
from services.shared.contract.feed import Feed
from services.shared.contract.files import PATTERNS, contract_files
from services.shared.contract.synonyms import as_written
from services.shared.contract.together import faults_together
from services.shared.contract.wording import place_of, words


class ContractError(Exception):
    """A contract cannot be used; the text names each fault and its place."""


def read_feeds(folder: Path) -> Mapping[str, Feed]:
    """All contracts of a folder, by name. Raises: ContractError."""
    feeds = [(path, read_feed(path)) for path in contract_files(folder)]
    if not feeds:
        raise ContractError(f"{folder}: no feeds ({PATTERNS}) here")
    _refuse(check_together(feeds))
    return {feed.name: feed for _, feed in feeds}


def read_feed(path: Path) -> Feed:
    """The contract in this file. Raises: ContractError."""
    _, feed, problems = _read(path)
    _refuse(problems)
    assert feed is not None
    return feed


def check(path: Path) -> tuple[Feed | None, list[Problem]]:
    """The contract, if nothing is wrong with it; also what `read_feed` lets pass. By line and column."""
    document, feed, problems = _read(path)
    twice = document.duplicates if document else []
    return (None if twice else feed), _in_order([*twice, *problems])


def check_together(feeds: Sequence[tuple[Path, Feed]]) -> list[Problem]:
    """Faults that no contract has on its own."""
    return [problem_at(path, key, what) for path, key, what in faults_together(feeds)]


def problem_at(path: Path, key: str, what: str) -> Problem:
    """At this key's value in a contract."""
    return read_document(path).problem((key,), f"{key}: {what}")


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise ContractError("; ".join(map(str, problems)))


def _read(path: Path) -> tuple[Document | None, Feed | None, list[Problem]]:
    """The file, its contract, and what is wrong with either."""
    try:
        document = read_document(path)
    except UnreadableError as error:
        return None, None, [error.problem]
    try:
        return document, Feed.model_validate(document.content), []
    except ValidationError as error:
        return document, None, _in_order([*document.misread_keys(), *_problems(document, error)])


def _problems(document: Document, error: ValidationError) -> Iterator[Problem]:
    for one in error.errors():
        # YAML's reading of a key is told by the document.
        if one["type"] != "invalid_key":
            ours = place_of(one)
            place = as_written(ours, document.content)
            what = words(one, document.text(place))
            for word, written in zip(ours, place, strict=False):
                what = re.sub(rf"^{word}\b", str(written), what) if word != written else what
            where = ".".join(map(str, place))
            yield document.problem(place, f"{where}: {what}" if where else what, one["type"] == "extra_forbidden")


def _in_order(problems: Sequence[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda one: (one.line, one.column))
