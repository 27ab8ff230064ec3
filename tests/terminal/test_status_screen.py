"""`dropmerge status` fits in the terminal that it is shown in."""

import re
from dataclasses import replace

import pytest

from tests.harness.dead_letters import empty_dead_letters
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.screen import Terminal

_NAME = "weekly_export_of_all_customers_and_their_accounts_2026-01-31.csv"


@pytest.fixture(scope="module", autouse=True)
def no_dead_letters_of_others(pipeline: Pipeline) -> None:
    """One that waits decides the state of its feed."""
    empty_dead_letters(pipeline)


@pytest.mark.parametrize("size", [(24, 80), (30, 100)], ids=["80x24", "100x30"])
def test_a_feed_has_one_line_whatever_the_name_of_its_last_file(
    pipeline: Pipeline, shared: Terminal, size: tuple[int, int]
) -> None:
    """The name is shortened in the middle, its age and the figures stay; no line is longer than the terminal."""
    pipeline.drop(_NAME, HEADER + row("named"))
    pipeline.wait_until_idle()
    with replace(shared, size=size).types("status") as screen:
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.ends(0))
    lines = [line.rstrip() for line in text.splitlines()]
    assert max(map(len, lines)) <= size[1]
    (line,) = [line for line in lines if line.startswith("accounts ")]
    assert re.fullmatch(r"accounts +OK +0 +\d+ wee\w*….*\.csv, \d+ s +\d+ (s|min) +\d+ +0", re.sub(" +", " ", line))
    assert re.fullmatch(r"as of \d\d:\d\d:\d\d UTC", lines[-1])


def test_colours_are_left_out_where_nobody_wants_them(shared: Terminal, pipeline: Pipeline) -> None:
    """A state is a word in a colour; with NO_COLOR the word alone."""
    assert pipeline.cloud.dead() == []
    coloured = re.compile(r"\x1b\[3[0-9]m(OK|IDLE)")
    with shared.types("status") as screen:
        assert coloured.search(screen.ends(0))
    with replace(shared, more={"NO_COLOR": "1"}).types("status") as screen:
        assert not coloured.search(screen.ends(0))
