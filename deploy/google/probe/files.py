"""Tiny CSV files, each loaded as ingest loads a file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from deploy.google.probe.question import Answer, Question
from deploy.google.probe.scratch import Scratch
from services.ingest.formats import format_of
from services.shared.contract.encodings import UTF_8
from services.shared.contract.reader import read_feed

FEED = read_feed(Path(__file__).parent / "feed.yaml")
COLUMNS = ("k", "v")

FILES: tuple[tuple[str, str, bytes, str], ...] = (
    # name, what it has, its bytes, why it matters
    ("plain", "two records", b"k,v\na,1\nb,2\n", "If this differs, all others do."),
    ("no_final_newline", "no newline at the end", b"k,v\na,1", "Many programs write files so."),
    ("empty_line_inside", "an empty line between records", b"k,v\na,1\n\nb,2\n", "`blank_lines` expects a row."),
    ("empty_line_at_end", "an empty line at the end", b"k,v\na,1\n\n", "`blank_lines` expects a row."),
    ("empty_lines_crlf", "CRLF, with an empty line", b"k,v\r\na,1\r\n\r\nb,2\r\n", "As above, of Windows."),
    ("line_of_spaces", "a line of spaces", b"k,v\na,1\n  \nb,2\n", "It is a short record, not an empty line."),
    ("crlf", "records that end with CRLF", b"k,v\r\na,1\r\nb,2\r\n", "The CR must not be part of a value."),
    ("mixed_line_ends", "LF and CRLF", b"k,v\na,1\r\nb,2\n", "The fine print allows both in one file."),
    ("bare_cr", "a bare CR between records", b"k,v\na,1\rb,2\n", "It may end a record or be part of a value."),
    ("bare_cr_only", "records that end with CR", b"k,v\ra,1\rb,2\r", "skip_leading_rows may skip the whole file."),
    ("bare_cr_quoted", "a bare CR in quotes", b'k,v\na,"x\ry"\n', "It must stay as it is."),
    ("double_cr", "CR CR LF", b"k,v\na,1\r\r\nb,2\n", "A file that was converted twice."),
    ("quote_in_field", "a quote in an unquoted field", b'k,v\na,x"y\nb,2\n', "It may open a text that never ends."),
    ("quote_after_space", "a space before a quoted field", b'k,v\na, "x"\n', "The field may begin with the space."),
    ("text_after_quote", "text after a closing quote", b'k,v\na,"x"y\n', "The fine print calls the file malformed."),
    ("space_after_quote", "a space after a closing quote", b'k,v\na,"x" \n', "As above; some readers trim it."),
    ("doubled_quote", "a doubled quote", b'k,v\na,"x""y"\n', "It must become one quote."),
    ("backslash_quote", "a quote after a backslash", b'k,v\na,"x\\"y"\n', "A backslash must not be special."),
    ("open_quote", "a quote that is left open", b'k,v\na,"x\nb,2\n', "The fine print calls the file malformed."),
    ("quoted_newline", "a newline in quotes", b'k,v\na,"x\ny"\n', "It must stay as it is."),
    ("empty_quoted", "an empty text in quotes, and none", b'k,v\na,""\nb,\n', "NULL is a field that is not there."),
    ("too_few_fields", "a record that is too short", b"k,v\na\nb,2\n", "NULL is a field that is not there."),
    ("too_many_fields", "records that are too long", b"k,v\na,1,x\nb,2,y,z\n", "One more than the header is loaded."),
    ("trailing_comma", "a comma after the last field", b"k,v\na,1,\n", "The field too many is empty, not NULL."),
    ("latin_1_byte", "a byte that is not UTF-8", b"k,v\na,caf\xe9\n", "U+FFFD, which the row rules refuse."),
    ("bom", "a byte order mark", b"\xef\xbb\xbfk,v\na,1\n", "It belongs to the header, which is skipped."),
    ("bom_inside", "U+FEFF inside the file", b"k,v\na,x\xef\xbb\xbfy\n\xef\xbb\xbfb,2\n", "It may be lost."),
    ("next_line", "U+0085 and U+2028", b"k,v\na,x\xc2\x85y\nb,x\xe2\x80\xa8y\n", "They must not end a record."),
    ("newline_in_header", "a newline in the header", b'k,"v\nw"\na,1\n', "skip_leading_rows may skip a line."),
    ("header_only", "the header alone", b"k,v\n", "It must load as no rows."),
    ("header_no_newline", "the header alone, without a newline", b"k,v", "As above."),
    ("spaces", "spaces around values", b"k,v\n a , 1 \n", "They are part of a value."),
    ("null_words", "words that may mean NULL", b"k,v\na,NULL\nb,\\N\n", "They are texts."),
)  # fmt: skip
ONE_COLUMN: tuple[tuple[str, str, bytes, str], ...] = (
    ("one_column", "one column", b"k\na\nb\n", "The delimiter never comes."),
    ("one_column_empty", "one column, with an empty line", b"k\na\n\nb\n", "An empty line may be an empty value."),
)
_CONTROLS = [code for code in range(32) if chr(code) not in "\n\r"]


def questions() -> Iterator[Question]:
    for one in FILES:
        yield _question(*one, COLUMNS, 16)
    for one in ONE_COLUMN:
        yield _question(*one, COLUMNS[:1], 16)
    for code in _CONTROLS:
        content = b"k,v\na,x" + bytes([code]) + b"y\n"
        for preserved in (False, True):
            name = f"control_{code:02x}_{'preserved' if preserved else 'default'}"
            asks = f"\\x{code:02x}, {'with' if preserved else 'without'} preserve_ascii_control_characters"
            why = "Two keys that differ in it must not become one."
            yield _question(name, asks, content, why, COLUMNS, 11, preserved)


def _question(
    name: str,
    asks: str,
    content: bytes,
    why: str,
    columns: tuple[str, ...],
    finding: int,
    preserved: bool | None = None,
) -> Question:
    ask = partial(_load, name=name, content=content, columns=columns, preserved=preserved)
    return Question(name, asks, repr(content)[1:], why, ask, finding, operations=1)


def _load(scratch: Scratch, name: str, content: bytes, columns: tuple[str, ...], preserved: bool | None) -> Answer:
    return load(scratch, name, scratch.upload(f"{name}.csv", content), columns, preserved)


def load(
    scratch: Scratch,
    name: str,
    uri: str,
    columns: tuple[str, ...] = COLUMNS,
    preserved: bool | None = None,
) -> Answer:
    """Rows of the raw table. `preserved`: None is as ingest asks."""
    config = format_of(FEED).load_config(columns, FEED, UTF_8)
    if preserved is not None:
        config.preserve_ascii_control_characters = preserved
    table = scratch.table(name)
    scratch.warehouse.load_table_once(f"probe-{name}", table, uri, config)
    return Answer(scratch.rows(table))
