"""Where much is kept, pages go on by key, and what they ask for does not grow. More of it: page_scale.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dropmerge.operations.dead_letters.board import read_board
from dropmerge.operations.dead_letters.filters import Filter
from dropmerge.page.site import Site
from tests.harness.cloud import running
from tests.harness.feeds import write_feeds_of_folders
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.programs.console_scale import Filled, append, fill_tables
from tests.programs.page_scale import (
    PAGES,
    Counted,
    counted,
    fill_letters,
    ids_of,
    measure,
    next_of,
    put_letter,
    statements,
)

_LETTERS, _FILES = 2_000, 20_000


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """By page, the statements that it sends where little is kept."""
    folder = tmp_path_factory.mktemp("few")
    with running(folder, write_feeds_of_folders(folder / "feeds")) as pipeline:
        fill_tables(pipeline, 10, 2)
        fill_letters(pipeline, 10)
        found = statements(pipeline)
    return found


@pytest.fixture(scope="module")
def filled(few: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """The other cloud is down by now: the environment names one."""
    folder = tmp_path_factory.mktemp("many")
    with running(folder, write_feeds_of_folders(folder / "feeds")) as pipeline:
        filled = fill_tables(pipeline, _FILES, 0.9)
        yield filled


@pytest.fixture(scope="module")
def letters(filled: Filled) -> list[str]:
    return fill_letters(filled.pipeline, _LETTERS)


@pytest.fixture
def pages(filled: Filled) -> Iterator[Counted]:
    with counted(filled.pipeline) as pages:
        yield pages


def test_no_page_sends_more_statements_because_more_is_kept(
    few: dict[str, int], filled: Filled, letters: list[str]
) -> None:
    """Two thousand letters and twenty thousand files take as many as ten of each."""
    found = statements(filled.pipeline)
    assert found == few
    assert all(found[page] for page in PAGES), "each asks the warehouse"


def test_all_letters_are_shown_once_whatever_comes_and_goes(
    filled: Filled, letters: list[str], pages: Counted
) -> None:
    """Page by page: one that ends a page is discarded, an older and a newer one come."""
    pipeline, path, seen = filled.pipeline, "/dead-letters", []
    for number in range(4):
        text = pages.ask(path)
        seen.append(ids_of(text))
        path = next_of(text) or ""
        if number == 1:
            gone = seen[-1][-1]
            _end(pipeline, gone)
            put_letter(pipeline, "1", datetime.now(UTC) - timedelta(days=2, minutes=1))
            put_letter(pipeline, "2", datetime.now(UTC))
            pages.forget()
    assert [one for page in seen for one in page] == letters[:200]
    text = pages.ask("/dead-letters")
    assert ids_of(text)[0] == "1"
    every = ids_of(text)
    while path := next_of(text) or "":
        text = pages.ask(path)
        every += ids_of(text)
    assert every == ["1", *(one for one in letters if one != gone), "2"]


def test_all_files_are_shown_once_whatever_comes_on_top(filled: Filled, pages: Counted) -> None:
    """The next page begins behind the last, and not a page later by number."""
    text = pages.ask("/files?since=24h")
    seen = ids_of(text)
    uri = filled.pipeline.drop(f"{datetime.now(UTC):%Y/%m/%d}/on-top.csv", HEADER + row("on-top"))
    filled.pipeline.wait_until_idle()
    pages.forget()
    for _ in range(3):
        text = pages.ask(next_of(text) or "")
        seen += ids_of(text)
    newest = [str(load.source) for load in filled.loads[::-1]]
    assert [one for one in seen if "first.csv" not in one] == newest[: len(seen) - 1]
    assert ids_of(pages.ask("/files?since=24h"))[0] == uri


def test_letters_that_ended_at_one_time_are_shown_once(filled: Filled, letters: list[str], pages: Counted) -> None:
    """As those of one command have: newest end first, page by page."""
    ended = letters[500:700]
    _end(filled.pipeline, *ended)
    text = pages.ask("/dead-letters?ended=1")
    every = ids_of(text)
    while path := next_of(text) or "":
        text = pages.ask(path)
        every += ids_of(text)
    assert len(every) == len(set(every))
    assert set(ended) <= set(every)


def test_a_filter_takes_no_reading_of_its_own(pages: Counted, letters: list[str]) -> None:
    """What was read for all is narrowed down."""
    pages.ask("/dead-letters")
    once = ids_of(pages.ask("/dead-letters?reason=empty_file"))
    assert pages.count("/dead-letters?reason=empty_file&feed=accounts") <= 1, "of the newer generations"
    assert once
    assert set(once) <= set(letters[1::3])


def test_what_two_readings_have_alike_is_in_memory_once(filled: Filled, letters: list[str]) -> None:
    """While one board is still shown, the next is read; a letter that another contract reads otherwise is new."""
    connection = filled.pipeline.connection
    site = Site(lambda: connection)
    first = site.board(Filter()).value.lines
    put_letter(filled.pipeline, "3", datetime.now(UTC))
    site.cache.forget()
    *same, new = site.board(Filter()).value.lines
    assert new.letter.id == "3"
    assert [one is before for one, before in zip(same, first, strict=True)] == [True] * len(first)
    old = replace(new, letter=replace(new.letter, feed="another"))
    assert read_board(connection, Filter(ids=frozenset({"3"})), [old]).lines == [new]


def test_the_program_measures_each_page(filled: Filled, letters: list[str]) -> None:
    """Of a console in a process of its own."""
    found = measure(filled.pipeline, ["/dead-letters", "/files"])
    assert len(found["pages"]["/dead-letters"]["following"]) == 3
    assert len(found["pages"]["/files"]["following"]) == 3
    assert found["memory with each group read"] > 10


def _end(pipeline: Pipeline, *ids: str) -> None:
    """As a discard records it, all at one time."""
    at = datetime.now(UTC).isoformat()
    append(
        pipeline,
        "journal",
        (
            {
                "happened_at": at,
                "event": "discarded",
                "service": "console",
                "who": "somebody",
                "detail": json.dumps({"dead_letter_id": one, "why": "a test"}),
            }
            for one in ids
        ),
    )
