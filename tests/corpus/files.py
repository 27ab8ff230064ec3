"""Nasty files: what each is, and where it must end.

`on_bigquery` says where BigQuery would do otherwise than the local warehouse, or was not tried.
"""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

HEADER = "id,note,score,modified,operation\n"
_HEAD_BYTES = 256 * 1024  # what ingest reads of a file


@dataclass(frozen=True)
class File:
    name: str
    what: str
    data: bytes | Callable[[], bytes]
    state: str = "merged"
    reason: str | None = None
    words: str = ""
    """Part of the error that a person reads."""
    rows: Mapping[str, str | None] = field(default_factory=dict)
    """What is in the main table for it: id to note."""
    feed: str = "strict"
    object: str = ""
    content_encoding: str | None = None
    on_bigquery: str = ""

    @property
    def object_name(self) -> str:
        return self.object or f"incoming/{self.feed}/{self.name}.csv"

    def content(self) -> bytes:
        return self.data() if callable(self.data) else self.data


def record(key: str, note: str = "n", end: str = "\n") -> str:
    return f"{key},{note},700,2025-01-01T00:00:00Z,U{end}"


def good(key: str) -> bytes:
    return (HEADER + record(key)).encode()


def _merged(name: str, what: str, text: str | bytes, rows: Mapping[str, str | None], **more: str) -> File:
    return File(name, what, text if isinstance(text, bytes) else text.encode(), rows=rows, **more)


def _dead(
    name: str, what: str, data: str | bytes | Callable[[], bytes], reason: str, words: str = "", **more: str
) -> File:
    data = data.encode() if isinstance(data, str) else data
    return File(name, what, data, "dead_lettered", reason, words, **more)  # type: ignore[arg-type]


def _one(name: str, what: str, cell: str, note: str | None, **more: str) -> File:
    """One record whose note is written as `cell`."""
    return _merged(name, what, HEADER + record(name, cell), {name: note}, **more)


def _named(name: str, what: str, path: str) -> File:
    """A good file whose object is named `path`."""
    key = f"name-{name}"
    return _merged(key, f"an object's name with {what}", good(key), {key: "n"}, object=f"incoming/strict/{path}")


def bomb() -> bytes:
    """Four gigabytes of zeros in four megabytes: gzip members, one after the other."""
    return gzip.compress(bytes(64 * 2**20), 9, mtime=0) * 64


# One record a line: what a file is, and where it ends.
# fmt: off
_TEXT = HEADER + record("encoded")
_FILLER = record("filler", "f" * 1000) * (_HEAD_BYTES // 1000)
_SPLIT = "x" * (_HEAD_BYTES - len(HEADER) - len("split-character,") - 1) + "€"
_ENCODINGS = [
    _merged("bom", "a UTF-8 byte order mark", "\ufeff" + HEADER + record("bom"), {"bom": "n"}),
    _dead("bom-twice", "two byte order marks", "\ufeff\ufeff" + _TEXT, "wrong_header", "did you mean"),
    _dead("bom-only", "a byte order mark and nothing more", "\ufeff", "wrong_header", "no header"),
    _dead("bom-in-header", "a byte order mark between two names", _TEXT.replace(",note", ",\ufeffnote"), "wrong_header"),
    _dead("utf16-le", "UTF-16, little endian, with its mark", b"\xff\xfe" + _TEXT.encode("utf-16-le"), "wrong_encoding", "encoding: utf-16"),
    _dead("utf16-be", "UTF-16, big endian, with its mark", b"\xfe\xff" + _TEXT.encode("utf-16-be"), "wrong_encoding", "UTF-16"),
    _dead("utf16-bare", "UTF-16 without a mark", _TEXT.encode("utf-16-le"), "wrong_format", "NUL"),
    _dead("utf32", "UTF-32 with its mark", _TEXT.encode("utf-32"), "wrong_encoding", "UTF-32"),
    _dead("ebcdic", "EBCDIC", _TEXT.encode("cp500"), "wrong_encoding"),
    _dead("latin1", "Latin-1 near the start", (HEADER + record("caf\xe9")).encode("latin-1"), "wrong_encoding", "0xe9"),
    _dead("latin1-late", "Latin-1 past what ingest looks at", (HEADER + _FILLER + record("caf\xe9")).encode("latin-1"), "too_many_bad_rows", "not_utf8: id"),
    _merged("latin1-unknown", "Latin-1 past what ingest looks at, in a column to ignore",
        (HEADER.replace("\n", ",other\n") + _FILLER.replace("\n", ",x\n") + record("latin1-unknown", end=",caf\xe9\n")).encode("latin-1"),
        {"filler": "f" * 1000, "latin1-unknown": "n"}, feed="open"),
    _dead("replacement", "the replacement character itself, which cannot be told from a byte that BigQuery replaced",
        HEADER + record("replacement", "a\ufffdb"), "too_many_bad_rows", "not_utf8: note"),
    _dead("cp1252", "curly quotes of Windows", (HEADER + record("x", "\u201cn\u201d")).encode("cp1252"), "wrong_encoding", "encoding: windows-1252"),
    _dead("overlong", "an overlong form of a slash", HEADER.encode() + b"a\xc0\xafb,n,1,2025-01-01T00:00:00Z,U\n", "wrong_encoding"),
    _dead("surrogate", "half a surrogate pair in UTF-8", HEADER.encode() + b"a\xed\xa0\x80,n,1,2025-01-01T00:00:00Z,U\n", "wrong_encoding"),
    _dead("beyond-unicode", "a code point past U+10FFFF", HEADER.encode() + b"\xf4\x90\x80\x80,n,1,2025-01-01T00:00:00Z,U\n", "wrong_encoding"),
    _dead("cut-character", "the last character is cut in two", _TEXT.encode() + b"x,\xe2\x82", "wrong_encoding"),
    _one("split-character", "a character lies across the end of what ingest looks at", _SPLIT, _SPLIT),
    _dead("nul", "a NUL byte in a key", HEADER + record("a\0b"), "too_many_bad_rows", "1 of 1 rows failed their checks, the feed tolerates 0: 1 not_text: id"),
    _one("nul-in-text", "a NUL byte in another column", "a\0b", "a\0b", on_bigquery="not tried: preserve_ascii_control_characters"),
    _dead("nul-late", "a NUL byte past what ingest looks at", HEADER + _FILLER + record("a\0b"), "too_many_bad_rows", "1 not_text: id"),
    _dead("nul-in-header", "a NUL byte in a name", HEADER.replace("note", "no\0te") + record("x"), "wrong_format", "NUL"),
    *(
        _dead(f"key-{code:02x}", f"U+{code:04X} in a key", HEADER + record(f"key{chr(code)}"), "too_many_bad_rows", "1 not_text: id")
        for code in (0x01, 0x08, 0x0B, 0x0C, 0x0E, 0x1B, 0x1F)
    ),
    *(_merged(f"key-{code:02x}", f"U+{code:04X} in a key", HEADER + record(f"key{chr(code)}"), {f"key{chr(code)}": "n"}) for code in (0x09, 0x7F)),
    _dead("nuls-only", "a thousand NUL bytes", b"\0" * 1000, "wrong_format", "NUL"),
    *(
        _one(name, what, note, note)
        for name, what, note in (
            ("unicode", "four scripts, an emoji family, combining marks", "日本 עברית ไทย a\u0301 👨‍👩‍👧"),
            ("right-to-left", "marks that turn the text's direction", "\u202eevil\u202c\u2066"),
            ("line-separators", "what Unicode calls line ends, and CSV does not", "a\u2028b\u2029c\u0085d\x0be\x0cf"),
            ("noncharacters", "code points that are no characters", "\uffff\U0010ffff\ufdd0"),
        )
   ),
    _one("control-characters", "control characters other than NUL, CR, LF",
        "\x01\x02\x08\x1b\x1f\x7f", "\x01\x02\x08\x1b\x1f\x7f", on_bigquery="not tried: may need preserve_ascii_control_characters"),
]

_EMPTINESS = [
    _dead("empty", "zero bytes", b"", "empty_file", "zero bytes"),
    _merged("header-only", "a header without a line end", HEADER.rstrip(), {}),
    _merged("header-line-only", "a header with a line end", HEADER, {}),
    _merged("blank-lines", "blank lines between and after records",
        HEADER + "\n" + record("blank-lines") + "\r\n\n\n", {"blank-lines": "n"}, on_bigquery="not tried: may refuse a blank line as a record of one field"),
    _dead("newline-only", "one LF", "\n", "wrong_header", "missing"),
    _dead("spaces-only", "spaces", " " * 50, "wrong_header", "missing"),
    _dead("blank-first", "a blank line before the header", "\n" + HEADER + record("x"), "wrong_header"),
    _dead("dos-end", "the end mark of CP/M, Ctrl-Z, after the last line", HEADER + record("x") + "\x1a", "too_many_bad_rows", "too_few_fields"),
]

_PERHAPS_TEXT = "not tried: may take a quote within an unquoted field for text"
_QUOTING = [
    _merged("all-quoted", "every field in quotes",
        '"id","note","score","modified","operation"\n"all-quoted","n","1","2025-01-01T00:00:00Z","U"\n', {"all-quoted": "n"}),
    *(
        _one(name, what, cell, note)
        for name, what, cell, note in (
            ("doubled-quotes", "quotes within quotes", '"say ""hi"""', 'say "hi"'),
            ("only-quotes", "a field that is one quote", '""""', '"'),
            ("quoted-lf", "LF within quotes", '"a\nb"', "a\nb"),
            ("quoted-crlf", "CRLF within quotes", '"a\r\nb"', "a\r\nb"),
            ("quoted-comma", "a comma within quotes", '"a,b"', "a,b"),
            ("quoted-record", "what looks like a record, within quotes", f'"\n{record("fake")}"', f"\n{record('fake')}"),
            ("quoted-empty", "an empty field in quotes", '""', None),
            ("apostrophes", "apostrophes are no quotes", "'a", "'a"),
            ("backslashes", "backslashes escape nothing", r"a\nb\\", r"a\nb\\"),
            ("backslash-n", "what other systems write for NULL", r"\N", r"\N"),
            ("null-word", "the word NULL is a word", "NULL", "NULL"),
            ("spaces", "spaces are part of the text", "  n  ", "  n  "),
        )
   ),
    *(
        _dead(name, what, HEADER + record(name, cell), "malformed_file")
        for name, what, cell in (
            ("open-quote", "a quote that is never closed", '"abc'),
            ("text-after-quote", "text after a closing quote", '"abc"def'),
            ("backslash-quote", "a quote escaped by a backslash", r'"a\"b"'),
        )
   ),
    _dead("inch", "a quote within an unquoted field", HEADER + record("x", '5" pipe'), "malformed_file", on_bigquery=_PERHAPS_TEXT),
    _dead("space-quote", "a space before an opening quote", HEADER + record("x", ' "n"'), "malformed_file", on_bigquery=_PERHAPS_TEXT),
    _dead("header-open-quote", "a quote in the header that is never closed", '"id,note\n' + record("x"), "malformed_file"),
    _dead("header-newline-ignored", "a name with a newline, of a column to ignore", HEADER.replace("\n", ',"a\nb"\n') + record("x", end=",y\n"), "wrong_header", "line end", feed="open"),
    _dead("header-cr", "a name with a CR", HEADER.replace("note", '"no\rte"') + record("x"), "wrong_header", "line end"),
    _dead("header-newline", "a name with a newline", HEADER.replace("note", '"no\nte"') + record("x"), "wrong_header"),
]

_CRLF_HEADER = HEADER.replace("\n", "\r\n")
_PERHAPS_LINE_END = "not tried: may take CR for a line end"
_LINE_ENDS = [
    _merged("crlf", "CRLF", _CRLF_HEADER + record("crlf", end="\r\n"), {"crlf": "n"}),
    _merged("mixed-ends", "LF and CRLF in turn", _CRLF_HEADER + record("mixed-1") + record("mixed-2", end="\r\n"), {"mixed-1": "n", "mixed-2": "n"}),
    _merged("no-last-end", "the last line does not end", HEADER + record("no-last-end", end=""), {"no-last-end": "n"}),
    _dead("cr", "CR alone ends lines", (HEADER + record("x")).replace("\n", "\r"), "malformed_file", on_bigquery=_PERHAPS_LINE_END),
    _dead("cr-inside", "a CR in an unquoted field", HEADER + record("x", "a\rb"), "malformed_file", on_bigquery=_PERHAPS_LINE_END),
    _dead("cr-last", "a CR after the last line", HEADER + record("x", end="\r"), "malformed_file", on_bigquery=_PERHAPS_LINE_END),
    _dead("lfcr", "LF CR, the wrong way round", HEADER + record("x") + "\r" + record("y"), "malformed_file", on_bigquery=_PERHAPS_LINE_END),
]

_MANY_NAMES = [f"c{n}" for n in range(9_993)]
_WIDTHS = [
    _dead("wide", "a record of 100 fields", HEADER + record("x") + ",".join("y" * 100) + "\n", "too_many_bad_rows", "1 too_many_fields"),
    _dead("narrow", "a record of two fields", HEADER + record("x") + "only,two\n", "too_many_bad_rows", "1 too_few_fields"),
    _dead("very-wide", "a record of 10,000 fields", HEADER + "," * 9_999 + "\n", "too_many_bad_rows", "1 too_many_fields"),
    _dead("trailing-comma", "a comma after each record", HEADER + record("x", end=",\n"), "too_many_bad_rows", "1 too_many_fields"),
    _dead("trailing-comma-header", "a comma after the header too", HEADER.rstrip() + ",\n" + record("x", end=",\n"), "wrong_header", "column '' is not in the contract"),
    _dead("9998-columns", "9,998 columns where five are known", ",".join([HEADER.rstrip(), *_MANY_NAMES]) + "\n", "wrong_header", "and 9983 more"),
    _merged("9998-open", "9,998 columns, those unknown ignored",
        ",".join([HEADER.rstrip(), *_MANY_NAMES]) + "\n" + record("9998-open", end="," * 9_993), {"9998-open": "n"}, feed="open"),
    _dead("9999-open", "more columns than a table may have with two for what is too much", ",".join([HEADER.rstrip(), *_MANY_NAMES, "one_more"]) + "\n", "wrong_header", "9999 columns", feed="open"),
]

_BODY = record("x")
_RESERVED = [
    "_deleted", "_generation", "_load_id", "_unknown_0", "_raw_note",
    "_TABLE_SUFFIX", "_FILE_NAME", "_PARTITIONTIME", "_ROW_TIMESTAMP", "__ROOT__", "_COLIDENTIFIER", "`", "select", " ", "Note",
]
_HEADERS = [
    _merged("reordered", "the columns in another order", "operation,modified,score,note,id\nU,2025-01-01T00:00:00Z,1,n,reordered\n", {"reordered": "n"}),
    _merged("no-marker", "without the delete marker's column", "id,note,score,modified\nno-marker,n,1,2025-01-01T00:00:00Z\n", {"no-marker": "n"}),
    _dead("case", "a name in capitals", HEADER.replace("note", "NOTE") + _BODY, "wrong_header", "'NOTE' is not in the contract (did you mean note?)"),
    _dead("padded", "a space after each comma", HEADER.replace(",", ", ") + _BODY, "wrong_header", "' note' is not in the contract (did you mean note?)"),
    _dead("no-break-space", "a no-break space in a name", HEADER.replace("note", "note\xa0") + _BODY, "wrong_header", "did you mean"),
    _dead("look-alike", "a Cyrillic letter that looks Latin", HEADER.replace("score", "s\u0441ore") + _BODY, "wrong_header", "did you mean"),
    _dead("twice", "a name twice", HEADER.replace("score", "note") + _BODY, "wrong_header", "column 'note' is there more than once"),
    _dead("key-missing", "without the key", "note,score,modified\nn,1,2025-01-01T00:00:00Z\n", "wrong_header", "column id is missing"),
    _dead("extra", "a column that the contract does not know", "colour," + HEADER + "red," + _BODY, "wrong_header", "column 'colour' is not in the contract"),
    _dead("no-header", "data from the first line on", _BODY + record("y"), "wrong_header", "missing"),
    _dead("commas-only", "a header of commas", ",,,,\n", "wrong_header", "none of the 5 names"),
    _dead("semicolon", "semicolons for commas", (HEADER + _BODY).replace(",", ";"), "wrong_header"),
    _dead("tabs", "tabs for commas", (HEADER + _BODY).replace(",", "\t"), "wrong_header"),
    _dead("commas", "commas where the feed says semicolons", HEADER + _BODY, "wrong_header", feed="semicolons"),
    _merged("semicolons", "semicolons as the feed says", (HEADER + record("semicolons", "a.b")).replace(",", ";"), {"semicolons": "a.b"}, feed="semicolons"),
    _dead("sql-names", "SQL for names", HEADER.replace("note", "`note`); DROP TABLE main.strict; --") + _BODY, "wrong_header", "DROP TABLE"),
    _dead("long-name", "a name of 300 KB", HEADER.replace("note", "n" * 300_000) + _BODY, "malformed_file"),
    _dead("no-line-end", "half a megabyte without a line end", "x," * 250_000, "malformed_file", "no line ends"),
    _dead("near-misses", "nine thousand names near one that is missing", "id," + ",".join(f"scor{n}" for n in range(9_000)) + "\n", "wrong_header", "did you mean"),
    _merged("reserved-names", "names of ours, of BigQuery and of SQL, in columns to ignore",
        ",".join([HEADER.rstrip(), *_RESERVED]) + "\n" + record("reserved-names", end="," + ",".join("x" for _ in _RESERVED) + "\n"),
        {"reserved-names": "n"}, feed="open"),
]


def _packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


_CHANCE = (HEADER + "".join(record(f"c{n}", random.Random(n).randbytes(600).hex()) for n in range(900))).encode()
_FORMATS = [
    _merged("gzip", "a good CSV file, packed by gzip", _packed(good("gzip")), {"gzip": "n"}),
    _merged("gzip-name", "the same with its proper name", _packed(good("gzip-name")), {"gzip-name": "n"}, object="incoming/strict/packed.csv.gz"),
    File("gzip-marked", "the same, marked Content-Encoding: gzip", _packed(good("gzip-marked")), rows={"gzip-marked": "n"}, content_encoding="gzip"),
    _merged("gzip-members", "two gzip files, one after the other", _packed(HEADER.encode()) + _packed(record("gzip-members").encode()),
        {"gzip-members": "n"}, on_bigquery="not tried: that all members are read is not documented"),
    _merged("gzip-header", "a header alone, packed", _packed(HEADER.encode()), {}),
    _dead("gzip-empty", "zero bytes, packed", _packed(b""), "empty_file", "zero bytes"),
    _dead("gzip-cut", "a packed file that was cut", _packed(good("x"))[:-9], "malformed_file", "end too early"),
    _dead("gzip-cut-late", "the same past what ingest looks at", lambda: _packed(_CHANCE)[:-9], "malformed_file", "gzip"),
    _dead("gzip-more", "bytes after the packed data", _packed(good("x")) + b"more", "malformed_file", "after the end of the gzip data"),
    _dead("gzip-more-late", "the same past what ingest looks at", lambda: _packed(_CHANCE) + b"more", "malformed_file", "gzip"),
    _dead("gzip-checksum", "packed data with another checksum", _packed(good("x"))[:-8] + bytes(8), "malformed_file", "gzip"),
    _dead("gzip-not", "gzip's first bytes and rubbish", b"\x1f\x8b\x08\0rest", "malformed_file", "gzip"),
    _dead("gzip-twice", "a good file packed twice", _packed(_packed(good("x"))), "wrong_format", "holds a gzip file"),
    _dead("gzip-zip", "a zip archive, packed", _packed(b"PK\x03\x04\x14\0" + b"\0" * 64), "wrong_format", "zip"),
    _dead("gzip-ndjson", "JSON, one line per row, packed", _packed(b'{"id": "x", "note": "n"}\n'), "wrong_format", "newline-delimited JSON"),
    _dead("gzip-latin1", "Latin-1, packed", _packed((HEADER + record("caf\xe9")).encode("latin-1")), "wrong_encoding", "0xe9"),
    _dead("gzip-header-fault", "another header, packed", _packed(b"id,Note\nx,n\n"), "wrong_header", "did you mean"),
    _dead("gzip-bomb", "4 MB that unpack to 4 GB", bomb, "wrong_format", "NUL"),
    _dead("gzip-bomb-marked", "the same, marked Content-Encoding: gzip", bomb, "wrong_format", "NUL", content_encoding="gzip"),
    _merged("gzip-name-only", "plain text named .csv.gz", good("gzip-name-only"), {"gzip-name-only": "n"}, object="incoming/strict/plain.csv.gz"),
    *(
        _dead(name, what, magic + b"\0" * 64, "wrong_format", word)
        for name, what, magic, word in (
            ("zip", "a zip archive", b"PK\x03\x04\x14\0", "zip"),
            ("parquet", "Parquet", b"PAR1\x15\x04", "Parquet"),
            ("avro", "Avro", b"Obj\x01\x04\x14", "Avro"),
            ("png", "a picture", b"\x89PNG\r\n\x1a\n", "PNG"),
            ("jpeg", "a photograph", b"\xff\xd8\xff\xe0", "JPEG"),
            ("pdf", "a PDF", b"%PDF-1.7\n", "PDF"),
            ("elf", "a program", b"\x7fELF\x02", "program"),
            ("office", "an old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1", "Office"),
        )
   ),
    *(
        _dead(name, what, magic + b"\xff" * 64, "wrong_format", name)
        for name, what, magic in (
            ("bzip2", "bzip2", b"BZh91AY&SY\xc4"),
            ("zstd", "Zstandard", b"\x28\xb5\x2f\xfd\x04"),
            ("xz", "xz", b"\xfd7zXZ\0"),
        )
   ),
    _dead("ustar", "a tar archive with its name", b"x.csv".ljust(257, b"\0") + b"ustar".ljust(255, b"\0"), "wrong_format", "tar"),
    _dead("random", "100 KB of chance", random.Random(0).randbytes(100_000), "wrong_encoding"),
    _dead("tar", "a tar archive of a good file", b"x.csv".ljust(512, b"\0") + good("x").ljust(512, b"\0"), "wrong_format", "NUL"),
    _dead("ndjson", "JSON, one line per row", '{"id": "x", "note": "n"}\n' * 3, "wrong_format", "newline-delimited JSON"),
    _dead("html", "an error page saved as data", "<!DOCTYPE html>\n<html><body>404, not found</body></html>\n", "wrong_format", "HTML"),
    _dead("sql", "a SQL dump", "INSERT INTO strict VALUES ('x', 'n');\nDROP TABLE strict;\n", "wrong_header"),
    _dead("csv-injection", "sep= as the first line, for a spreadsheet", "sep=,\n" + HEADER + record("x"), "wrong_header"),
]

_LONG_KEY = "k" * 10**6
_SIZES = [
    File("huge-cell", "a cell of 50 MB",
        lambda: (HEADER + record("huge-cell", "x" * (50 * 10**6))).encode(),
        rows={"huge-cell": hashlib.sha256(b"x" * (50 * 10**6)).hexdigest()}),
    _merged("huge-key", "a key of 1 MB", HEADER + record(_LONG_KEY), {_LONG_KEY: "n"}),
    _dead("huge-bad-row", "a bad row of 5 MB", HEADER + f"x,{'y' * 5_000_000},none,2025-01-01T00:00:00Z,U\n", "too_many_bad_rows", "not_an_integer: score"),
    _dead("huge-line", "a record without end, of 101 MB", lambda: (HEADER + "x" * (101 * 2**20)).encode(), "malformed_file"),
    _merged("many-newlines", "a cell of 100,000 lines", HEADER + record("many-newlines", '"' + "\n" * 100_000 + '"'), {"many-newlines": "\n" * 100_000}),
]

_LONG_PATH = "/".join("d" * 100 for _ in range(9))
_LONG_PATH += "/" + "f" * (1024 - len("incoming/strict/") - len(_LONG_PATH) - 1)
_NAMES = [
    *(
        _named(*row)
        for row in (
            ("star", "wildcards", "a*b?c[1].csv"),
            ("hash", "what looks like a generation", "a.csv#1700000000000000"),
            ("newline", "a line end", "a\nb.csv"),
            ("tab", "a tab and a carriage return", "a\tb\rc.csv"),
            ("quotes", "quotes of three kinds", "a'b\"c`d.csv"),
            ("sql-name", "SQL", "x'); DROP TABLE `main.strict`; --.csv"),
            ("percent", "escapes of a URL", "a%2Fb%00c%25.csv"),
            ("query", "a query string", "a.csv?generation=1&alt=media"),
            ("backslash", "backslashes", "..\\a\\b.csv"),
            ("emoji", "an emoji", "\U0001f4a5.csv"),
            ("composed", "an accent composed", "caf\xe9.csv"),
            ("decomposed", "the same accent decomposed", "cafe\u0301.csv"),
            ("blanks", "spaces at both ends", "  a  "),
            ("dots", "leading dots", "...a.csv"),
            ("template", "a template's marks", "{{ 7 * 7 }}{% raw %}.csv"),
            ("semicolon-name", "a shell's marks", "$(reboot);|&.csv"),
            ("direction", "a mark that turns the text's direction", "\u202evsc.exe"),
        )
   ),
    _merged("name-long", "a name of 1,024 bytes", good("name-long"), {"name-long": "n"}, object=f"incoming/strict/{_LONG_PATH}"),
    _dead("no-feed", "a folder that no feed wants", good("x"), "no_feed", "incoming/nobody", object="incoming/nobody/x.csv"),
    _dead("no-folder", "the landing prefix itself", good("x"), "no_feed", object="incoming/x.csv"),
    _dead("wrong-case", "a folder in capitals", good("x"), "no_feed", object="incoming/STRICT/x.csv"),
    File("folder", "a folder's placeholder", b"", "ignored", object="incoming/strict/folder/"),
    File("elsewhere", "an object outside every feed's prefix", good("x"), "ignored", object="elsewhere/x.csv"),
    File("prefix-case", "the prefix in capitals", good("x"), "ignored", object="INCOMING/strict/x.csv"),
]
# fmt: on


def files() -> list[File]:
    return [*_ENCODINGS, *_EMPTINESS, *_QUOTING, *_LINE_ENDS, *_WIDTHS, *_HEADERS, *_FORMATS, *_SIZES, *_NAMES]
