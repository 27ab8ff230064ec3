"""What formats of plain text have in common: UTF-8, with a byte order mark or without."""

from __future__ import annotations

import json

from services.shared.errors import PermanentError


def decode(head: bytes, is_whole: bool) -> str:
    """The head of a file as text. Raises PermanentError: wrong_encoding or wrong_format."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise PermanentError("wrong_encoding", "the file begins with a UTF-16 byte order mark; the feed says UTF-8")
    text = _utf8(head, is_whole)
    if "\0" in text:
        raise PermanentError("wrong_format", f"not text: a NUL byte at character {text.index(chr(0))}")
    return text


def json_kind(first_line: str) -> str | None:
    """What a file that begins with this line is, if that is JSON; None if it is not."""
    line = first_line.strip()
    if line in ("[", "{"):
        return "a JSON document"
    try:
        value = json.loads(line) if line[:1] in ("[", "{") else None
    except (ValueError, RecursionError):
        return None
    kinds: dict[type, str] = {dict: "newline-delimited JSON", list: "a JSON document"}
    return kinds.get(type(value))


def _utf8(head: bytes, is_whole: bool) -> str:
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The cut may have split the last character; anything earlier is the file's own fault.
        if not is_whole and error.start >= len(head) - 3:
            return head[: error.start].decode("utf-8-sig")
        bad = head[error.start : error.start + 1].hex()
        raise PermanentError(
            "wrong_encoding", f"not UTF-8: byte 0x{bad} at offset {error.start}; save the file as UTF-8"
        ) from error
