"""What formats of plain text have in common: an encoding, with a byte order mark or without."""

from __future__ import annotations

import codecs
import json

from services.shared.contract.encodings import (
    CODECS,
    ISO_8859_1,
    UTF_8,
    UTF_16,
    UTF_16BE,
    UTF_16LE,
    WINDOWS_1252,
)
from services.shared.errors import PermanentError

_BOTH_ORDERS = (UTF_16LE, UTF_16BE)
_MARKS = {codecs.BOM_UTF8: UTF_8, codecs.BOM_UTF16_LE: UTF_16LE, codecs.BOM_UTF16_BE: UTF_16BE}
_UTF_32_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
MARK = "\ufeff"
"""What a byte order mark is in text."""


def _windows_1252() -> dict[int, str]:
    """Of the bytes that ISO-8859-1 has control characters for, those that Windows-1252 has others for
    (https://encoding.spec.whatwg.org/index-windows-1252.txt is alike but for five bytes, which Python refuses)."""
    decoded = {byte: bytes([byte]).decode(CODECS[WINDOWS_1252], "replace") for byte in range(0x80, 0xA0)}
    return {byte: character for byte, character in decoded.items() if character != "\ufffd"}


_CHARACTERS = _windows_1252()
_UNDEFINED = [byte for byte in range(0x80, 0xA0) if byte not in _CHARACTERS]
C1_CONTROLS = "".join(map(chr, [*_CHARACTERS, *_UNDEFINED]))
"""The control characters of ISO-8859-1 from 0x80 on; the last five have no other meaning in Windows-1252."""
WINDOWS_1252_CHARACTERS = "".join([*_CHARACTERS.values(), *map(chr, _UNDEFINED)])
"""What Windows-1252 has in the place of each; the last five stay what they are."""


def mark_of(head: bytes) -> str | None:
    """The encoding that a file's byte order mark stands for; None where it has none."""
    return next((encoding for mark, encoding in _MARKS.items() if head.startswith(mark)), None)


def encoding_of(head: bytes, declared: str) -> str:
    """The encoding of a file that begins so: the declared one, of UTF-16 with its order of bytes.

    Raises PermanentError("wrong_encoding") where its byte order mark says otherwise.
    """
    if head.startswith(_UTF_32_MARKS):
        raise PermanentError("wrong_encoding", f"the file begins with a UTF-32 byte order mark: save it as {declared}")
    marked = mark_of(head)
    if marked is None and declared == UTF_16:
        likely = UTF_16BE if head.startswith(b"\0") else UTF_16LE
        raise PermanentError("wrong_encoding", f"UTF-16 without a byte order mark; did you mean encoding: {likely}?")
    if marked in (None, declared) or (declared == UTF_16 and marked in _BOTH_ORDERS):
        return marked or declared
    what = UTF_16 if marked in _BOTH_ORDERS else UTF_8
    raise PermanentError(
        "wrong_encoding",
        f"the file begins with a {what.upper()} byte order mark, but the contract says {declared.upper()}: "
        f"save it in that encoding, or write encoding: {what} in the contract's format",
    )


def decode(head: bytes, is_whole: bool, declared: str = UTF_8) -> str:
    """The head of a file as text, without its byte order mark.

    Raises PermanentError: wrong_encoding or wrong_format.
    """
    encoding = encoding_of(head, declared)
    if encoding in (ISO_8859_1, WINDOWS_1252):
        text = head.decode(CODECS[ISO_8859_1])
        text = text.translate(_CHARACTERS) if encoding == WINDOWS_1252 else text
    else:
        text = _strictly(head, is_whole, encoding).removeprefix(MARK)
    _refuse_nuls(text)
    return text


def _refuse_nuls(text: str) -> None:
    """What is no text, such as UTF-16 without a mark, has NULs in each line; in some of them they are rows' faults."""
    if "\0" in text and all("\0" in line for line in text.split("\n") if line):
        raise PermanentError("wrong_format", f"not text: a NUL byte at character {text.index(chr(0))}")


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


def _strictly(head: bytes, is_whole: bool, encoding: str) -> str:
    decoder = codecs.getincrementaldecoder(CODECS[encoding])()
    try:
        # The cut may have split the last character; anything earlier is the file's own fault.
        return decoder.decode(head, final=is_whole)
    except UnicodeDecodeError as error:
        bad = head[error.start : error.start + 1].hex()
        name = encoding.upper()
        other = f", or write encoding: {WINDOWS_1252} (or {ISO_8859_1}) in the contract" if encoding == UTF_8 else ""
        raise PermanentError(
            "wrong_encoding",
            f"not {name}: byte 0x{bad} at offset {error.start}; save the file as {name}{other}",
        ) from error
