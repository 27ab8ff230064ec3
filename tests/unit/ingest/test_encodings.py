"""The encodings that a contract can name, over all bytes."""

from __future__ import annotations

import gzip

import pytest

from services.ingest.formats import csv
from services.ingest.formats.compression import unpack
from services.ingest.formats.plain_text import C1_CONTROLS, WINDOWS_1252_CHARACTERS, decode, encoding_of
from services.shared.errors import PermanentError
from tests.unit.ingest.feeds import csv_feed

_PRINTABLE = bytes(range(1, 256))


def _fault(head: bytes, declared: str, is_whole: bool = True) -> tuple[str, str]:
    with pytest.raises(PermanentError) as caught:
        decode(head, is_whole, declared)
    return caught.value.reason, caught.value.detail


def test_windows_1252_is_iso_8859_1_and_what_the_load_job_lacks() -> None:
    """Each byte is what Python has for it, but for five that are no characters there."""
    table = dict(zip(C1_CONTROLS, WINDOWS_1252_CHARACTERS, strict=True))
    assert sorted(C1_CONTROLS) == list(map(chr, range(0x80, 0xA0)))
    for byte in _PRINTABLE:
        loaded = bytes([byte]).decode("latin-1")
        expected = bytes([byte]).decode("cp1252", "ignore") or loaded
        assert table.get(loaded, loaded) == expected == decode(bytes([byte]), True, "windows-1252")
    assert sum(table[one] == one for one in table) == 5


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_in_the_order_of_its_mark(encoding: str) -> None:
    """Wherever the head is cut."""
    text = "id,größe,😀\n"
    data = "\ufeff".encode(encoding) + text.encode(encoding)
    assert encoding_of(data, "utf-16") == encoding.replace("16-", "16")
    assert decode(data, True, "utf-16") == text
    for end in range(2, len(data)):
        assert text.startswith(decode(data[:end], False, "utf-16"))
    assert decode(text.encode(encoding), True, encoding.replace("16-", "16")) == text


@pytest.mark.parametrize(
    ("head", "declared", "words"),
    [
        (b"\xff\xfei\0", "utf-8", "write encoding: utf-16"),
        (b"\xff\xfei\0", "utf-16be", "UTF-16 byte order mark, but the contract says UTF-16BE"),
        (b"\xff\xfei\0", "windows-1252", "write encoding: utf-16"),
        (b"\xef\xbb\xbfid\n", "utf-16", "the contract says UTF-16: save it in that encoding, or write encoding: utf-8"),
        (b"\xef\xbb\xbfid\n", "iso-8859-1", "write encoding: utf-8"),
        (b"i\0d\0", "utf-16", "did you mean encoding: utf-16le?"),
        (b"\0i\0d", "utf-16", "did you mean encoding: utf-16be?"),
        (b"caf\xe9", "utf-8", "write encoding: windows-1252 (or iso-8859-1)"),
        ("id\n".encode("utf-16") + b"x", "utf-16", "not UTF-16LE: byte 0x78 at offset 8"),
        ("\ufeffa".encode("utf-16-le") + b"\x00\xd8a\0", "utf-16", "not UTF-16LE"),
        (b"\xff\xfe\0\0i\0\0\0", "utf-16", "UTF-32"),
    ],
)  # fmt: skip
def test_g7_a_wrong_encoding_says_what_to_write(head: bytes, declared: str, words: str) -> None:
    reason, detail = _fault(head, declared)
    assert (reason, words in detail) == ("wrong_encoding", True), detail


def test_g7_a_header_of_control_characters_is_another_encoding() -> None:
    with pytest.raises(PermanentError, match="encoding: windows-1252"):
        csv.columns(b"id,price \x80\n", True, csv_feed("iso-8859-1"))
    assert csv.columns(b"id,price \x80\n", True, csv_feed("windows-1252")) == ["id", "price €"]


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (gzip.compress(b"id\na\n", mtime=0)[:-1], "end too early"),
        (gzip.compress(b"id\na\n", mtime=0)[:12], "end too early"),
        (gzip.compress(b"id\na\n", mtime=0) + b"x", "after the end"),
        (gzip.compress(b"id\na\n", mtime=0) + b"\0" * 512, "after the end"),
        (gzip.compress(b"id\na\n", mtime=0)[:-8] + bytes(8), "cannot be unpacked"),
        (b"\x1f\x8b\x08\0rest", "end too early"),
    ],
)
def test_g7_gzip_that_is_not_whole_is_malformed(head: bytes, words: str) -> None:
    """What the head shows; where the file goes on, the rest is the load job's to judge."""
    with pytest.raises(PermanentError, match=words) as caught:
        unpack(head, True, 2**18)
    assert caught.value.reason == "malformed_file"
    whole = gzip.compress(b"id\na\n", mtime=0)
    assert unpack(whole, True, 2**18) == (b"id\na\n", True)
    assert unpack(whole + whole, True, 2**18) == (b"id\na\n" * 2, True)
    assert unpack(whole[:-1], False, 2**18) == (b"id\na\n", False)


def test_g4_a_head_is_unpacked_no_further_than_it_is_read() -> None:
    """A bomb of four gigabytes costs what a head costs; so do many members that hold nothing."""
    bomb = gzip.compress(bytes(2**26), mtime=0)
    text, is_whole = unpack(bomb, True, 2**18)
    assert (len(text), is_whole) == (2**18, False)
    assert unpack(gzip.compress(b"", mtime=0) * 10_000, True, 2**18) == (b"", True)
