"""The constants of a check: refused where GoogleSQL would read another text, or fail for each row."""

from __future__ import annotations

import re

from services.shared.contract.types import TYPES

# Written anew, a text keeps these; any other escape would become a backslash and a letter.
_ROUND = re.compile(r"(?:[^\\]|\\[abfnrtv\\])*", re.DOTALL)
_MAX_REPEATS = 1000
"""Of RE2, nested ones multiplied (https://github.com/google/re2/wiki/Syntax)."""
_KNOWN = re.compile(r"\\(?:[AbBdDsSwWafnrtvxpPz]|[^\w])", re.ASCII)
_UNKNOWN_TO_PYTHON = re.compile(r"\\(?:[pP](?:\{\w+\}|[A-Z])|z|x\{[0-9A-Fa-f]{1,4}\})")
_POSIX = re.compile(
    r"\[:\^?(?:alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]"
)


def literal_fault(source: str) -> str:
    """Why a text in quotes, as it stands in the contract, cannot be written anew; empty if it can."""
    prefix, body = re.fullmatch(r"([a-zA-Z]*)(.*)", source, re.DOTALL).groups()  # type: ignore[union-attr]
    if prefix:
        return "" if not re.search(r"""\\['"]""", body) else _write("a quote")
    in_single_quotes = body.replace(r"\\", "").replace(r"\'", "") if body[:1] == "'" else body.replace(r"\\", "")
    return "" if _ROUND.fullmatch(in_single_quotes) else _write("a character")


def _write(what: str) -> str:
    return f"has {what} behind a backslash, which would not stay what it is: write the character itself"


def pattern_fault(pattern: str) -> str:
    """Why RE2 may not compile a pattern; empty if it does. Stricter than RE2, never less strict."""
    if any(not _KNOWN.fullmatch(escape) for escape in re.findall(r"\\(?:.|\Z)", pattern, re.DOTALL)):
        return "has an escape that RE2 does not have"
    plain = _POSIX.sub("a", _UNKNOWN_TO_PYTHON.sub("a", pattern))
    if "[:" in plain or re.search(r"\[[^\]]*\\[AbB]", plain):
        return "has a class that RE2 does not have"
    if re.search(r"\(\?(?![imsU-]*[:)]|P<\w+>)", plain) or re.search(r"[*+?}]\+", plain):
        return "has a group, or a repetition, that RE2 does not have"
    counts = [int(number) for number in re.findall(r"\{(?:\d*,)?(\d+),?\}", plain)]
    total = 1
    for count in counts:
        total *= max(count, 1)
    if total > _MAX_REPEATS:
        return f"repeats more than {_MAX_REPEATS} times"
    try:
        re.compile(plain.replace("(?U", "(?i").replace("[[", r"[\["))
    except (re.error, OverflowError, RecursionError) as error:
        return f"is not a pattern: {error}"
    return ""


def constant_fault(kind: str, text: str) -> str:
    """Why a text is no constant of a type, such as DATE '2024-02-30'; empty if it is one."""
    if kind not in TYPES:
        return f"has a type that is none of {', '.join(TYPES)}"
    if kind == "TIMESTAMP":
        text = _with_offset(text)
    if TYPES[kind].accepts(text):
        return ""
    hint = "; name the zone, as in TIMESTAMP '2000-01-01 00:00:00+00:00'" if kind == "TIMESTAMP" else ""
    return f"is not the text of a {kind}{hint}"


def _with_offset(text: str) -> str:
    """GoogleSQL's shorter forms of UTC and of whole hours, in full."""
    text = re.sub(r"(?: UTC|Z)$", "+00:00", text)
    return re.sub(r"([+-])(\d\d?)$", lambda found: f"{found[1]}{found[2]:0>2}:00", text)
