"""The encoding of a sample, and its text."""

from __future__ import annotations

import zlib
from pathlib import Path

import charset_normalizer

from dropmerge.operations.feeds.inference.errors import InferenceError
from services.ingest.formats.compression import GZIP
from services.ingest.formats.plain_text import mark_of
from services.shared.contract.encodings import CODECS, UTF_8, UTF_16, UTF_16BE, UTF_16LE, WINDOWS_1252

MAX_BYTES = 256 * 1024 * 1024
"""Of a sample's text. More is not read: a contract is guessed from less."""
_PROBE = 64 * 1024
_FEWEST_BYTES = 24
"""Beyond ASCII, of a text whose language says something of its encoding."""
_MARK = "\ufeff"


def read_bytes(path: Path) -> tuple[bytes, bool]:
    """A file's first bytes, unpacked if it is gzip, and whether they are all. Raises InferenceError."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if data.startswith(GZIP):
        data = _unpacked(path, data)
    return data[:MAX_BYTES], len(data) <= MAX_BYTES


def _unpacked(path: Path, packed: bytes) -> bytes:
    text, rest = b"", packed
    while rest.startswith(GZIP) and len(text) <= MAX_BYTES:
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            text += member.decompress(rest, MAX_BYTES + 1 - len(text))
        except zlib.error as error:
            raise InferenceError(f"{path}: the gzip data cannot be unpacked: {error}") from error
        rest = member.unused_data
    return text


def decode(data: bytes, is_whole: bool) -> tuple[str, str]:
    """The encoding, as a contract names it, and the text. Raises InferenceError."""
    encoding = encoding_of(data, is_whole)
    # A file cut off at the limit may end within a character.
    text = data.decode(CODECS[encoding], "strict" if is_whole else "ignore")
    return encoding, text.removeprefix(_MARK)


def encoding_of(data: bytes, is_whole: bool = True) -> str:
    """Of a text: by its byte order mark, by what can be read, and where all can, by its language.

    Raises InferenceError for an encoding that no contract can name.
    """
    marked = mark_of(data)
    if marked:
        return UTF_16 if marked in (UTF_16LE, UTF_16BE) else marked
    if b"\0" in data[:_PROBE]:
        return _without_mark(data[:_PROBE])
    try:
        data.decode(UTF_8)
    except UnicodeDecodeError as error:
        if is_whole or error.start < len(data) - 4:
            return _single_byte(data, error.start)
    return UTF_8


def _without_mark(probe: bytes) -> str:
    odd, even = probe[1::2].count(0), probe[::2].count(0)
    half = len(probe) // 2
    if odd > half // 2 > even:
        return UTF_16LE
    if even > half // 2 > odd:
        return UTF_16BE
    raise InferenceError(f"not text: a NUL byte at {probe.index(0)}; a sample is CSV, NDJSON, Parquet, Avro or ORC")


def _single_byte(data: bytes, first: int) -> str:
    """Windows-1252 is what ISO-8859-1 is where both have letters, and has letters where the other has none."""
    start = max(0, first - _PROBE // 2)
    probe = data[start : start + _PROBE]
    if sum(byte > 127 for byte in probe) < _FEWEST_BYTES:
        return WINDOWS_1252
    found = charset_normalizer.from_bytes(probe).best()
    if found is not None and found.encoding not in CODECS.values() and not _is_latin(found.alphabets):
        name = found.encoding
        raise InferenceError(
            f"not UTF-8: byte 0x{data[first]:02x} at offset {first}; it looks like {name}, which "
            f"BigQuery does not load: save it as UTF-8, `iconv -f {name.upper()} -t UTF-8`"
        )
    return WINDOWS_1252


def _is_latin(alphabets: list[str]) -> bool:
    signs = (
        "Latin",
        "Punctuation",
        "Symbol",
        "Currency",
        "Control",
        "Modifier",
        "Box",
        "Block",
        "Number",
        "Letterlike",
    )
    return all(any(sign in name for sign in signs) for name in alphabets)
