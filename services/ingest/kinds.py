"""What kind of file begins with these bytes, if its format says so at the beginning.

A file of text may begin with the letters of a signature: PK, BM, ORC or RIFF are legal names of a CSV column. A kind
is told by as much as its specification fixes, and where that is letters only, by a byte too that no text has.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_BOM = b"\xef\xbb\xbf"
_UNPACK = "unpack it, or pack it by gzip, which is read as it is"
_SAVE = "save it as CSV UTF-8"
_EXPORT = "have it exported as CSV in UTF-8, Parquet, Avro or ORC"
_NO_DATA = "it is no table: was another file meant?"


@dataclass(frozen=True)
class Kind:
    """`name` and `way_out` are for a sentence: the file is NAME: WAY_OUT."""

    name: str
    way_out: str
    format: str | None = None
    """A contract's word for it, if there is one."""


def kind_of(head: bytes) -> Kind | None:
    """`head`: the first bytes of a file, some hundred at least where it has so many. None for what may be text."""
    if (found := _zip(head)) is not None:
        return found
    return next((kind for is_it, kind in _KINDS if is_it(head)), None)


def _zip(head: bytes) -> Kind | None:
    """Also an empty one, and one of several parts (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT)."""
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return None
    if b"xl/" in head or b"opendocument.spreadsheet" in head:
        return Kind("a workbook (Excel or OpenDocument)", _SAVE)
    if b"word/" in head or b"ppt/" in head or b"opendocument" in head:
        return Kind("an Office document", _NO_DATA)
    # An Excel workbook may name its parts past the head, [Content_Types].xml mostly first.
    if b"[Content_Types].xml" in head:
        return Kind("an Office document, such as an Excel workbook", _SAVE)
    return Kind("a zip archive", "unpack it, and send each file by itself, packed by gzip if need be")


Check = Callable[[bytes], bool]


def _begins(*magics: bytes) -> Check:
    """With bytes that include one that no text has."""
    return lambda head: head.startswith(magics)


def _begins_and_has_nul(*magics: bytes) -> Check:
    """A NUL is in no text but UTF-16, and there it is beside each letter of ASCII."""
    return lambda head: head.startswith(magics) and b"\0" in head


def _has_at(at: int, magic: bytes) -> Check:
    return lambda head: head[at : at + len(magic)] == magic and b"\0" in head[: at + 16]


def _matches(pattern: bytes) -> Check:
    """After a byte order mark and blanks, in any case of letters."""
    compiled = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return lambda head: compiled.match(head.removeprefix(_BOM).lstrip()) is not None


def _is_zstd(head: bytes) -> bool:
    """https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1"""
    return head.startswith(b"\x28\xb5\x2f\xfd") and re.search(rb"[\x00-\x08\x0e-\x1f]", head) is not None


def _is_arrow_stream(head: bytes) -> bool:
    """https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format"""
    return head.startswith(b"\xff\xff\xff\xff") and head[7:8] == b"\0" and b"\0\0\0" in head[8:16]


def _is_old_stata(head: bytes) -> bool:
    """Releases 105 to 115: the release, the order of bytes, 1, 0."""
    return len(head) > 3 and 0x69 <= head[0] <= 0x73 and head[1] in (1, 2) and head[2:4] == b"\1\0"


def _is_pickle(head: bytes) -> bool:
    """Of protocol 2 or later (https://docs.python.org/3/library/pickletools.html)."""
    return len(head) > 2 and head[0] == 0x80 and head[1] in (2, 3, 4, 5)


def _is_tar(head: bytes) -> bool:
    """https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06"""
    return head[257:262] == b"ustar" and b"\0" in head[:262]


def _is_riff(head: bytes) -> bool:
    return head.startswith(b"RIFF") and head[8:12] in (b"WEBP", b"WAVE", b"AVI ") and b"\0" in head


def _is_bitmap(head: bytes) -> bool:
    return head.startswith(b"BM") and head[6:10] == b"\0\0\0\0"


def _is_windows_program(head: bytes) -> bool:
    return head.startswith(b"MZ") and b"PE\0\0" in head[:4096]


_SAS = bytes.fromhex("000000000000000000000000c2ea8160b31411cfbd92080009c7318c181f1011")
_KINDS: tuple[tuple[Check, Kind], ...] = (
    # A page's header comes next, or the footer: either begins with a number, field 1
    # (https://parquet.apache.org/docs/file-format).
    (_begins(b"PAR1\x15"), Kind("Parquet", "write format: {type: parquet}", "parquet")),
    (_begins_and_has_nul(b"PARE"), Kind("encrypted Parquet", "have it sent without encryption of its own")),
    (_begins(b"Obj\x01"), Kind("Avro", "write format: {type: avro}", "avro")),
    (_begins_and_has_nul(b"ORC"), Kind("ORC", "write format: {type: orc}", "orc")),
    (_begins(b"ARROW1\0\0"), Kind("an Arrow file (Feather)", "save it as Parquet")),
    (_is_arrow_stream, Kind("an Arrow stream", "save it as Parquet")),
    (_begins(b"FEA1\0"), Kind("Feather", "save it as Parquet")),
    (_begins(b"\xd0\xcf\x11\xe0\xa1\xb1"), Kind("an old Microsoft Office file, such as an .xls", _SAVE)),
    (_begins(b"\x1f\x8b\x08"), Kind("gzip", "send what is in it")),
    (_is_zstd, Kind("packed by zstd", _UNPACK)),
    (
        _matches(rb"BZh[1-9](?:\x31\x41\x59\x26\x53\x59|\x17\x72\x45\x38\x50\x90)"),
        Kind("packed by bzip2", _UNPACK),
    ),
    (_begins(b"\xfd7zXZ\0"), Kind("packed by xz", _UNPACK)),
    (_begins(b"\x04\x22\x4d\x18", b"\x02\x21\x4c\x18"), Kind("packed by lz4", _UNPACK)),
    (_begins(b"\xff\x06\0\0sNaPpY"), Kind("packed by snappy", _UNPACK)),
    (_begins(b"LZIP\x01", b"\x89LZO\0\r\n\x1a\n", b"\x1f\x9d"), Kind("packed", _UNPACK)),
    (_begins(b"7z\xbc\xaf\x27\x1c"), Kind("a 7z archive", "unpack it, and send each file by itself")),
    (_begins(b"Rar!\x1a\x07"), Kind("a rar archive", "unpack it, and send each file by itself")),
    (_is_tar, Kind("a tar archive", "unpack it, and send each file by itself")),
    (_begins(b"SQLite format 3\0"), Kind("an SQLite database", _EXPORT)),
    (_has_at(8, b"DUCK"), Kind("a DuckDB database", _EXPORT)),
    (_begins(b"<stata_dta><header><release>"), Kind("a Stata file", _EXPORT)),
    (_is_old_stata, Kind("a Stata file", _EXPORT)),
    (_begins(b"$FL2@(#)", b"$FL3@(#)"), Kind("an SPSS file", _EXPORT)),
    (_begins(_SAS), Kind("a SAS file", _EXPORT)),
    (_begins(b"HEADER RECORD*******LIB"), Kind("a SAS transport file (XPORT)", _EXPORT)),
    (_begins(b"\x89HDF\r\n\x1a\n", b"CDF\x01", b"CDF\x02", b"CDF\x05"), Kind("HDF5 or NetCDF", _EXPORT)),
    (_begins_and_has_nul(b"RDX2\n", b"RDX3\n", b"X\n\0\0\0"), Kind("an R file (RData or RDS)", _EXPORT)),
    (_is_pickle, Kind("a Python pickle", "save it as Parquet")),
    (_begins(b"\x93NUMPY"), Kind("a NumPy array", "save it as Parquet")),
    (
        _matches(rb"%PDF-[12][.][0-9][\s%].*(?:[0-9] [0-9]+ obj\b|%%EOF|\x00)"),
        Kind("a PDF", "have the table sent as CSV UTF-8"),
    ),
    (
        _matches(rb"<!doctype\s+html[\s>]|<html[\s>].*<(?:head|body|/html|title|meta)[\s>]"),
        Kind("an HTML page", "was it an error page, or a link to a page where the file was to be downloaded?"),
    ),
    (_matches(rb"<\?xml\s+version\s*="), Kind("XML", "have it sent as CSV in UTF-8 or newline-delimited JSON")),
    (_matches(rb"\{\\rtf[01]?\\[a-z]"), Kind("an RTF document", "save it as plain text, CSV UTF-8")),
    (
        _begins(b"version https://git-lfs.github.com/spec/"),
        Kind("a pointer of Git LFS", "fetch the file: git lfs pull"),
    ),
    (_begins(b"-----BEGIN PGP MESSAGE-----"), Kind("encrypted by PGP", "decrypt it")),
    (_begins(b"\x89PNG\r\n\x1a\n"), Kind("a PNG picture", _NO_DATA)),
    (_begins_and_has_nul(b"\xff\xd8\xff"), Kind("a JPEG picture", _NO_DATA)),
    (_begins_and_has_nul(b"GIF87a", b"GIF89a"), Kind("a GIF picture", _NO_DATA)),
    (_begins(b"II*\0", b"MM\0*"), Kind("a TIFF picture", _NO_DATA)),
    (_is_bitmap, Kind("a BMP picture", _NO_DATA)),
    (_is_riff, Kind("a picture, sound or film (RIFF)", _NO_DATA)),
    (_begins(b"\x7fELF\x01", b"\x7fELF\x02"), Kind("a program (ELF)", _NO_DATA)),
    (_is_windows_program, Kind("a program for Windows", _NO_DATA)),
    (_begins_and_has_nul(b"\xca\xfe\xba\xbe"), Kind("a Java class, or a program for macOS", _NO_DATA)),
)
"""The first that fits counts."""
