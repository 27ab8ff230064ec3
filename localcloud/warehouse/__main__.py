"""bqemulator, with CSV files read as the load job says: `python -m localcloud.warehouse start …`.

bqemulator 1.4.0 lets DuckDB guess a file's dialect, whatever the job's options. A guess refuses files that mix LF
and CRLF, and takes an open quote for text. BigQuery follows the options, and so does this: a file is checked here,
record by record, and DuckDB is given a copy that leaves nothing to guess. A load that fails leaves no new table.

It parses a statement some 25 times and copies a table after each change to it, for time travel. Here a statement is
parsed once, there is no time travel, and no GEOGRAPHY, which takes an extension of 80 MB. `script_jobs` adds what a
MERGE inside a script inserted and updated, `torn_tables` mends what a SIGKILL left half done, `kept_jobs` bounds what
is remembered of jobs.
"""

from __future__ import annotations

import glob
import gzip
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlglot
from bqemulator.api.routes import jobs, upload
from bqemulator.catalog.duckdb_repository import DuckDBCatalogRepository
from bqemulator.cli import main
from bqemulator.jobs import executor
from bqemulator.storage.engine import DuckDBEngine
from bqemulator.versioning.snapshots import SnapshotManager

from localcloud.warehouse import kept_jobs, script_jobs, torn_tables
from localcloud.warehouse.bounded import Key, Youngest
from localcloud.warehouse.patch import replace

_BLOCK = 4 * 2**20
_MOST_RECORD = 100 * 2**20  # bytes, as in BigQuery
_DELIMITERS = {"tab": "\t", "\\t": "\t"}
_CODECS = {"UTF-8": "utf-8", "UTF8": "utf-8", "ISO-8859-1": "latin-1"}
_BOM = b"\xef\xbb\xbf"

_trees: dict[Key, Any] = {}
_texts = Youngest(128, 200_000)  # characters: a tree takes a hundred times as many bytes


class BadFile(Exception):
    """The file breaks the rules of CSV. bqemulator makes reason `invalid` of it, with this message."""


@dataclass(frozen=True)
class Dialect:
    """What a load job says of its CSV files. Delimiter and quote are one byte; no quote: nothing is quoted."""

    width: int
    delimiter: bytes = b","
    quote: bytes = b'"'
    quoted_newlines: bool = False
    skip: int = 0
    codec: str = "utf-8"
    quoted: re.Pattern[bytes] = field(init=False)
    bare: re.Pattern[bytes] = field(init=False)
    records: re.Pattern[bytes] = field(init=False)

    def __post_init__(self) -> None:
        quote, delimiter = re.escape(self.quote), re.escape(self.delimiter)
        inner = b"[^%s%s]*+" % (quote, b"" if self.quoted_newlines else rb"\r\n")
        quoted = b"%s%s(?:%s%s%s)*+%s" % (quote, inner, quote, quote, inner, quote) if quote else b"(?!)"
        bare = rb"[^%s%s\r\n]*+" % (quote, delimiter)
        # Written out and possessive: no step is ever taken back, which keeps it as fast as a plain search.
        cell = b"(?>%s|%s)" % (quoted, bare)
        record = rb"(?:%s\r?\n|\r?\n)" % delimiter.join([cell] * self.width)
        object.__setattr__(self, "quoted", re.compile(quoted))
        object.__setattr__(self, "bare", re.compile(bare))
        object.__setattr__(self, "records", re.compile(b"(?:%s)*+" % record))

    @classmethod
    def of(cls, options: dict[str, Any], width: int) -> Dialect:
        """The dialect of a job's `configuration.load`; BigQuery's defaults where it says nothing."""
        delimiter = str(options.get("fieldDelimiter") or ",")
        quote = options.get("quote")
        encoding = str(options.get("encoding") or "UTF-8").upper()
        if encoding not in _CODECS:
            raise BadFile(f"the local warehouse does not read encoding {encoding}, only {', '.join(_CODECS)}")
        return cls(
            width=width,
            delimiter=_one_byte("fieldDelimiter", _DELIMITERS.get(delimiter, delimiter)),
            quote=b"" if quote == "" else _one_byte("quote", quote or '"'),
            quoted_newlines=bool(options.get("allowQuotedNewlines")),
            skip=int(options.get("skipLeadingRows") or 0),
            codec=_CODECS[encoding],
        )


def _one_byte(option: str, value: str) -> bytes:
    encoded = value.encode()
    if len(encoded) != 1:
        raise BadFile(f"{option} {value!r} is not one ASCII character")
    return encoded


def plain(source: io.BufferedIOBase, dialect: Dialect) -> Iterator[bytes]:
    """The records of a CSV file in UTF-8, ended by LF, without those to skip; BadFile at the first fault."""
    rest, line, size, at_end = source.read(len(_BOM)).removeprefix(_BOM), 1, _BLOCK, False
    skip = dialect.skip
    while not at_end:
        block = source.read(size)
        at_end = not block
        rest += block
        if at_end and rest and not rest.endswith((b"\n", b"\r")):
            rest += b"\n"
        begin = 0
        while skip:
            end = _record_end(rest, begin, dialect, line, at_end)
            if end is None:
                break
            line += rest.count(b"\n", begin, end)
            begin, skip = end, skip - 1
        end = begin if skip else _end_of_records(rest, begin, dialect)
        piece, rest = rest[begin:end], rest[end:]
        yield _clean(piece, dialect, line)
        line += piece.count(b"\n")
        if rest and not skip and (at_end or not piece):
            _record_end(rest, 0, dialect, line, at_end, dialect.width)
        if len(rest) > _MOST_RECORD:
            raise BadFile(f"line {line}: the record is longer than {_MOST_RECORD} bytes")
        # A long record is read in ever larger steps, lest it be looked through from its start too often.
        size = _BLOCK if piece else size * 2


def _end_of_records(data: bytes, begin: int, dialect: Dialect) -> int:
    match = dialect.records.match(data, begin)
    return match.end() if match else begin


def _record_end(
    data: bytes, begin: int, dialect: Dialect, line: int, at_end: bool, width: int | None = None
) -> int | None:
    """Where the record at `begin` ends; None when `data` ends before; BadFile when it is none, or not `width` wide."""
    at, cells = begin, 0

    def bad(what: str) -> BadFile:
        return BadFile(f"line {line + data.count(bytes([10]), begin, at)}, field {cells + 1}: {what}")

    while at < len(data):
        is_quoted = bool(dialect.quote) and data.startswith(dialect.quote, at)
        match = (dialect.quoted if is_quoted else dialect.bare).match(data, at)
        if match is None:
            if not dialect.quoted_newlines and b"\n" in data[at:]:
                raise bad("the quote that opens here is not closed on its line, and allowQuotedNewlines is off")
            if at_end:
                raise bad("the quote that opens here is never closed")
            return None
        after = data[match.end() : match.end() + 2]
        if not at_end and len(after) < 2 and after != b"\n":
            return None
        at = match.end()
        if after[:1] == dialect.delimiter:
            at, cells = at + 1, cells + 1
            continue
        if after[:1] == b"\n" or after == b"\r\n":
            if width is not None and cells + 1 != width:
                raise BadFile(f"line {line}: the record has {cells + 1} fields, the table has {width} columns")
            return at + (1 if after[:1] == b"\n" else 2)
        if is_quoted:
            raise bad("there is text after the closing quote")
        raise bad("there is a CR without LF" if after[:1] == b"\r" else "there is a quote within an unquoted field")
    return None


def _clean(piece: bytes, dialect: Dialect, line: int) -> bytes:
    """Whole records with CRLF as LF outside quotes, in UTF-8."""
    zero = piece.find(b"\0")
    if zero >= 0:
        raise BadFile(f"line {line + piece.count(bytes([10]), 0, zero)}: there is a NUL character")
    # As BigQuery documents: what is not in the encoding becomes U+FFFD.
    piece = piece.decode(dialect.codec, "replace").encode()
    if b"\r" not in piece:
        return piece
    if not dialect.quote or dialect.quote not in piece:
        return piece.replace(b"\r\n", b"\n")
    # Every other part is outside quotes: a doubled quote makes an empty one.
    parts = piece.split(dialect.quote)
    parts[::2] = dialect.quote.join(parts[::2]).replace(b"\r\n", b"\n").split(dialect.quote)
    return dialect.quote.join(parts)


def load_path(path: str, job: Any, ctx: Any) -> None:
    """Load a file, or those a pattern names, into the job's table."""
    if job.source_format != "CSV" or job.raw_config.get("autodetect"):
        _load_other(path, job, ctx)
        return
    width = len(ctx.engine.execute(f"DESCRIBE {job.target_ref}").fetchall())
    dialect = Dialect.of(job.raw_config, width)
    handle, copy = tempfile.mkstemp(suffix=".csv")
    try:
        with os.fdopen(handle, "wb") as target:
            for name in [path] if os.path.exists(path) else sorted(glob.glob(path)) or [path]:
                with gzip.open(name) if name.endswith(".gz") else open(name, "rb") as source:
                    target.writelines(plain(source, dialect))
        delimiter, quote = (value.decode().replace("'", "''") for value in (dialect.delimiter, dialect.quote))
        ctx.engine.execute(
            f"COPY {job.target_ref} FROM ? (FORMAT CSV, AUTO_DETECT false, HEADER false, DELIMITER '{delimiter}',"
            f" QUOTE '{quote}', ESCAPE '{quote}', NEW_LINE '\\n', STRICT_MODE true, NULL_PADDING false,"
            f" MAX_LINE_SIZE {_MOST_RECORD}, BUFFER_SIZE {_MOST_RECORD})",
            [copy],
        )
    finally:
        os.unlink(copy)


async def execute_load_job(project_id: str, job_id: str, config: dict[str, Any], ctx: Any) -> Any:
    """bqemulator's own, which leaves no table behind that it made and could not fill."""
    job = executor._parse_load_job_config(project_id, config)
    where = (job.project_id, job.dataset_id, job.table_id)
    existed = ctx.catalog.get_table(*where) is not None
    try:
        return await _execute_load_job(project_id, job_id, config, ctx)
    except Exception:
        if not existed and ctx.catalog.get_table(*where) is not None:
            async with ctx.engine.write_lock():
                ctx.engine.execute(f"DROP TABLE IF EXISTS {job.target_ref}")
                ctx.catalog.delete_table(*where, not_found_ok=True)
        raise


def parse_one(sql: str, read: str | None = None, **options: Any) -> Any:
    """sqlglot's own, which remembers; callers may change what they get."""
    if options:
        return _parse_one(sql, read=read, **options)
    key = (sql, read or "")
    tree = _trees.get(key)
    if tree is None:
        tree = _trees[key] = _parse_one(sql, read=read)
        for old in _texts.add(key, len(sql)):
            _trees.pop(old, None)
    return tree.copy()


def capture(self: Any, project_id: str, dataset_id: str, table_id: str, *, kind: str = "AUTO") -> None:
    """No snapshot of a table after a change."""


def _load_spatial(self: Any) -> None:
    """No contract has a GEOGRAPHY column, and a server's start downloads nothing."""


def _hydrate_from_duckdb(self: Any) -> None:
    for schema, table in torn_tables.repair(self._engine):
        print(f"{schema}.{table} was half made or half dropped by a kill, and went", file=sys.stderr)
    _hydrate(self)


if __name__ == "__main__":
    _load_other = replace(executor, "_load_path_into_target", load_path)
    _execute_load_job = replace(executor, "execute_load_job", execute_load_job)
    for _module in (jobs, upload):  # they hold the function by its name
        replace(_module, "execute_load_job", execute_load_job)
    replace(SnapshotManager, "capture", capture)
    _hydrate = replace(DuckDBCatalogRepository, "_hydrate_from_duckdb", _hydrate_from_duckdb)
    replace(DuckDBEngine, "_load_spatial", _load_spatial)
    _parse_one, sqlglot.parse_one = sqlglot.parse_one, parse_one  # type: ignore[assignment]
    kept_jobs.set_up()
    script_jobs.set_up()
    main()
