"""An error's text without the values of rows that it may quote.

A job that reads rows quotes them where it fails: `Bad int64 value: X`, `Could not parse 'X' as DATE for field f`. Its
error goes to logs, the journal and a dead letter, where no value belongs. Google documents no list of such texts, so
what is quoted, and what follows a colon, is left out unless it is known to name a thing: a column, a table, a file,
a place in it. The job itself keeps the whole text, for whoever may read the tables.
"""

from __future__ import annotations

import re

CUT = "…"
"""Stands for what is left out."""

_SUSPECT = re.compile(
    r"""
      (?<!\w) [bBrR]{0,2} (?P<quote>['"]) (?!\))   # not ("), of which BigQuery says that there is text after one
    | (?P<label>:(?=\s)|\bvalues?:)
    | \bvalue(?:\ of)?\ (?P<number>[-+]?\d\S*(?:\ \d\S*)*)
    | \((?=[-+]?\d)                                # an operation, as of an overflow
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CLOSING = re.compile(r"""['"](?!\w)""")
_NAMED = re.compile(
    r"""(?i:\b(?:columns?|column_name:|fields?|table|view|dataset|bucket|project|function|procedure|type|name)\s*)\Z"""
)
_NAME = re.compile(r"""(['"])[\w.:$-]{1,300}\1""")
_FILE = re.compile(r"""(['"])gs://[^'"\s]+\1""")
_LABEL = re.compile(
    r"""
    (?i:\b(?:
        not\ found | access\ denied | already\ exists | unrecognized\ name | constraint\ failed
      | resources\ exceeded[\w\ ]* | quota\ exceeded | (?:\w+\ )?error | exception | error\ message | failed
      | dropmerge | reason | message | locations? | source | destination | job\ id | file | position | rows | errors
      | column_name | column_index | column_type | line_number | byte_offset_to_start_of_line | max\ bad
      | error\ percent | bytes\ billed | types | signatures? | size\ is | filename
    ))\Z
    | (?:\bline\ \d+(?:,\ field\ \d+)?)\Z
    | (?:https?://\S+|[\w-]+:[\w.$-]+)\Z           # an address, or a table
    """,
    re.VERBOSE,
)
_QUOTED_AT_LENGTH = re.compile(r" with message '[^']*'|\s+LINE \d+: .*?(?=\s+Location: \S+\s+Job ID: |\Z)", re.DOTALL)
"""Left out first: a parser's own words, and the statement with its literals, which the local warehouse adds."""
_END = re.compile(r"(?:\s+at \[\d+:\d+\])?(?:\s+File: gs://\S+)?(?:\s+Location: \S+)?(?:\s+Job ID: \S+)?\s*\Z")
_LONGEST_LABEL = 300
_LONGEST = 10_000
"""Characters; a value may have 100 MB."""


def without_values(text: str) -> str:
    """The text, with `CUT` in place of what may be a value."""
    text, kept, at = _QUOTED_AT_LENGTH.sub("", text[:_LONGEST]), "", 0
    while (suspect := _first(text, at)) is not None:
        begin, end = _extent(text, suspect)
        kept = kept + text[at:begin]
        if end is None:
            last = _END.search(text, begin)
            return f"{kept}{CUT}{last[0] if last else ''}"
        kept, at = kept + CUT, end
    return kept + text[at:]


def _extent(text: str, suspect: re.Match[str]) -> tuple[int, int | None]:
    """Where a value begins and ends; None where that is not to be seen."""
    if suspect["number"]:
        return suspect.span("number")
    if not suspect["quote"]:
        return suspect.end() + text.startswith(" ", suspect.end()), None
    # A value may have quotes of its own: up to the last.
    closing = [one.end() for one in _CLOSING.finditer(text, suspect.end())]
    return suspect.start(), closing[-1] if closing else None


def _first(text: str, at: int) -> re.Match[str] | None:
    while (found := _SUSPECT.search(text, at)) is not None:
        before = text[max(found.start() - _LONGEST_LABEL, 0) : found.start()]
        if found["quote"]:
            named = _FILE.match(text, found.start()) or (_NAMED.search(before) and _NAME.match(text, found.start()))
        else:
            named = found if found["label"] == ":" and _LABEL.search(before) else None
        if named is None:
            return found
        at = named.end()
    return None
