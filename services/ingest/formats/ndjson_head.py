"""The first lines of an NDJSON file, held against the contract before it is loaded."""

from __future__ import annotations

from collections.abc import Sequence

from services.ingest.formats import json_line, json_paths
from services.ingest.formats.contract import Contract
from services.ingest.formats.plain_text import decode, json_kind
from services.ingest.near_miss import closest
from services.ingest.shown_names import shown_names
from services.shared.errors import PermanentError


def check_head(head: bytes, is_whole: bool, feed: Contract) -> None:
    """`head`: the file's first bytes, which may be all.

    Raises PermanentError: wrong_encoding, wrong_format, or wrong_header where no line has what each row must have.
    """
    found = decode(head, is_whole).split("\n")
    # What comes after the last line end goes on past the head.
    cut = "" if is_whole else found.pop().strip()
    whole = [line for line in found if line.strip()]
    objects = [one for one in map(json_line.read, whole) if one is not None]
    if (whole and not objects) or (not whole and cut[:1] not in ("", "{")):
        raise PermanentError("wrong_format", _other_format(whole[0] if whole else cut))
    if objects:
        names = dict.fromkeys(name for one in objects for name in one)
        paths = (name for name in feed.names_in_file if any(json_paths.has(one, name) for one in objects))
        _hold_against(list({**names, **dict.fromkeys(paths)}), feed)


def _other_format(first_line: str) -> str:
    kind = json_kind(first_line)
    if kind == "a JSON document" or first_line.lstrip().startswith("["):
        way = "`jq -c '.[]' FILE` of a list, `jq -c . FILE` of an object"
        return f"the contract says ndjson, but the file is a JSON document: write one object per line, with {way}"
    return "the contract says ndjson, but no line at the file's beginning is a JSON object"


def _hold_against(names: Sequence[str], feed: Contract) -> None:
    """Raises PermanentError("wrong_header") where a name that each row must have is in none."""
    unknown = [name for name in names if name not in feed.names_in_file]
    in_file = {name: header for header, name in feed.names_in_file.items()}
    missing = [in_file[name] for name in feed.of_every_row if in_file[name] not in names]
    if missing:
        shown = shown_names(names, feed.names_in_file)
        near = [name for name in unknown if name in shown]
        faults = "; ".join(_missing(name, closest(name, near)) for name in missing)
        where = f"feed {feed.name}: {faults}"
        raise PermanentError("wrong_header", f"the names of the first records do not match {where}")


def _missing(name: str, near: str | None) -> str:
    return f"{name} is missing" + (f" (did you mean {near[:60]!r}?)" if near else "")
