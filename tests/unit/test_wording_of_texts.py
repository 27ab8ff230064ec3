"""The style sheet of CONTRIBUTING.md, as far as a search can hold texts to it: docs, help, messages and comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.topology import ROOT

_FOLDERS = (".github", "deploy", "docs", "dropmerge", "generator", "localcloud", "services", "toolchain")
_ENDINGS = {".json", ".md", ".py", ".sql", ".tf", ".toml", ".yaml", ".yml"}
_PER = "lines?|files|messages?|dollars?|jobs|(?-i:MERGEs)|module|identity|entry|suite"
_OF = "feed|line|file|second|minute|hour|day|month|year|load|MERGE|service|command|key|table|project"
_HABITS = {
    "mend": "fix, correct",
    "tells? of|told of": "report, mention",
    rf"\b({_PER}) an? ({_OF})\b": "per",
    "a feed a ": "per feed",
    "goes its own way": "is processed on its own",
}
"""Patterns, and what to write instead. `mend` is looked for within words too: a plain grep finds them as well."""
_LEFT = {
    # A key of the JSON of `dead-letters show`, which scripts may read.
    "dropmerge/cli/dead_letters.py": {"mend"},
    "dropmerge/operations/loads/rows.py": {"tells of"},
}


def _texts() -> Iterator[tuple[str, str]]:
    """The project's own files with their text: not its tests, whose names and data are no texts for users."""
    paths = [*ROOT.glob("*.md"), ROOT / "Makefile", *(path for one in _FOLDERS for path in (ROOT / one).rglob("*"))]
    for path in sorted(path for path in paths if path.suffix in _ENDINGS or path.name == "Makefile"):
        if not {"tests", ".terraform", "__pycache__"} & set(path.relative_to(ROOT).parts):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def _found(pattern: str, text: str) -> list[str]:
    return [match[0] for match in re.finditer(pattern, text, re.IGNORECASE)]


@pytest.mark.parametrize("pattern", _HABITS)
def test_a_text_has_none_of_these_words(pattern: str) -> None:
    found = {name: {one.lower() for one in _found(pattern, text)} - _LEFT.get(name, set()) for name, text in _texts()}
    assert {name: words for name, words in found.items() if words} == {}, f"write instead: {_HABITS[pattern]}"


@pytest.mark.parametrize("text", ["to mend it", "which tells of it", "one line a feed", "10 messages a second"])
def test_what_is_looked_for_is_found(text: str) -> None:
    assert any(_found(pattern, text) for pattern in _HABITS)


def test_the_style_sheet_has_ten_lines() -> None:
    page = Path(ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    sheet = page.partition("## How we write\n")[2].partition("\n## ")[0]
    assert re.findall(r"(?m)^(\d+)\. ", sheet) == [str(number) for number in range(1, 11)]
