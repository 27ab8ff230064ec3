"""What a file is, by its first bytes; legal CSV is none of these kinds, whatever its first letters."""

from __future__ import annotations

import bz2
import io
import lzma
import pickle
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import fastavro
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from pyarrow import feather, orc, parquet

from dropmerge.operations.feeds.inference.errors import InferenceError
from dropmerge.operations.feeds.inference.infer import infer
from services.ingest.formats import csv
from services.ingest.inspect_head import inspect_head, inspect_tail
from services.ingest.kinds import kind_of
from services.shared.contract.feed import Feed
from services.shared.errors import PermanentError
from tests.unit.ingest.feeds import csv_feed

_TABLE = pa.table({"id": ["a", "b"], "n": [1, None]})


def _arrow(write: object, *, stream: bool = False) -> bytes:
    sink = pa.BufferOutputStream()
    if stream:
        with pa.ipc.new_stream(sink, _TABLE.schema) as writer:
            writer.write_table(_TABLE)
    else:
        write(_TABLE, sink)  # type: ignore[operator]
    return bytes(sink.getvalue())


def _zip(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return made.getvalue()


def _tar() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x.csv"), io.BytesIO())
    return made.getvalue()


def _avro() -> bytes:
    made = io.BytesIO()
    fastavro.writer(made, {"type": "record", "name": "r", "fields": [{"name": "id", "type": "string"}]}, [{"id": "a"}])
    return made.getvalue()


def _sqlite() -> bytes:
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE x (y)")
        return database.serialize()


REAL = {
    "Parquet": _arrow(parquet.write_table),
    "Avro": _avro(),
    "ORC": _arrow(orc.write_table),
    "an Arrow file": _arrow(lambda table, sink: feather.write_feather(table, sink, compression="uncompressed")),
    "an Arrow stream": _arrow(None, stream=True),
    "Feather": b"FEA1\0\0\0\0" + bytes(20),
    "workbook": _zip("[Content_Types].xml", "xl/workbook.xml"),
    "zip archive": _zip("a.csv"),
    "zip archive ": _zip(),
    "tar archive": _tar(),
    "bzip2": bz2.compress(b"a,b\n1,2\n"),
    "bzip2 ": bz2.compress(b""),
    "xz": lzma.compress(b"a,b\n1,2\n"),
    "zstd": pa.compress(b"a,b\n1,2\n", "zstd", asbytes=True),
    "lz4": pa.compress(b"a,b\n1,2\n", "lz4", asbytes=True),
    "snappy": b"\xff\x06\0\0sNaPpY\0",
    "7z": b"7z\xbc\xaf\x27\x1c\0\4",
    "rar": b"Rar!\x1a\x07\x01\0",
    "SQLite": _sqlite(),
    "Stata": b"<stata_dta><header><release>118</release>",
    "Stata ": b"\x72\x02\x01\x00" + bytes(100),
    "SPSS": b"$FL2@(#) SPSS DATA FILE" + bytes(9),
    "SAS file": bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011") + bytes(9),
    "SAS transport": b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!000000000000000000000000000000  ",
    "HDF5": b"\x89HDF\r\n\x1a\n\0",
    "R file": b"RDX3\nX\n\0\0\0\3",
    "R file ": b"X\n\0\0\0\3\0\4",
    "pickle": pickle.dumps({"a": 1}),
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n",
    "HTML": b"\xef\xbb\xbf \n<!DOCTYPE html>\n<html><body>not found</body></html>",
    "HTML ": b"<HTML>\n<HEAD><TITLE>404</TITLE></HEAD></HTML>",
    "XML": b'\xef\xbb\xbf<?xml version="1.0"?>\n<rows/>',
    "RTF": b"{\\rtf1\\ansi\\deff0 a,b}",
    "old Microsoft": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(9),
    "PNG": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "JPEG": b"\xff\xd8\xff\xe0\x00\x10JFIF\0",
    "GIF": b"GIF89a\1\0\1\0\0\0\0;",
    "BMP": b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0",
    "ELF": b"\x7fELF\2\1\1\0",
    "Java class": b"\xca\xfe\xba\xbe\0\0\0\x34",
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n",
    "PGP": b"-----BEGIN PGP MESSAGE-----\n\nhQ==\n",
}
_LETTERS = (
    *("PK", "PAR1", "PARE", "Obj", "OBJ", "ORC", "ARROW1", "FEA1", "$FL2", "$FL2@", "{\\rtf", "%PDF-", "%PDF-1.4"),
    *("BZh9", "BZh91AY", "7z", "Rar!", "SQLite format 3", "<stata_dta>", "HEADER RECORD", "RDX3", "RDX2", "X"),
    *("GIF89a", "BM", "II*", "MM", "RIFF", "MZ", "LZIP", "CDF", "<html>", "<html", "<?xml", "<!doctype"),
    *("version", "rs", "qs", "DUCK", "\x7fELF", "{", "[id]", "-----BEGIN", "TS", "OTTO", "fLaC", "ID3", "#!"),
    *("ustar", "PE", "WAVE", "id;name", "\ufeffid", "€", "ÿØÿ"),
)  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_g7_a_file_is_called_what_it_is(name: str) -> None:
    """Whatever a feed declares; and `feeds init` says the same."""
    kind = kind_of(REAL[name])
    assert kind is not None
    assert name.strip().lower() in kind.name.lower()
    assert kind.way_out


@pytest.mark.parametrize("letters", _LETTERS)
@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252"])
def test_g7_legal_csv_is_of_no_other_kind(letters: str, encoding: str) -> None:
    """Of one column or two, with rows or without, with an end that looks like a signature too."""
    for text in (
        f"{letters},v\na,1\n",
        f"{letters}\n",
        letters,
        f"{letters}\n" + "x\n" * 200 + "PAR1",
        f"{letters}\n1 obj\n",
    ):
        assert kind_of(text.encode(encoding, "replace")) is None
    header = csv.columns(f"{letters},v\na,1\n".encode(), True, csv_feed())
    assert header == [letters.removeprefix("\ufeff"), "v"]


def _feed(declared: str) -> Feed:
    fields = {"feed": "things", "objects": "x/*", "table": "main.things", "key": ["id"], "version": "_generation"}
    columns = [{"name": "id", "type": "STRING"}, {"name": "n", "type": "INT64"}]
    return Feed.model_validate({**fields, "format": {"type": declared}, "columns": columns, "missing_columns": "null"})


_READ = {
    "csv": b"id,n\na,1\n",
    "ndjson": b'{"id":"a","n":1}\n',
    **{n.lower(): REAL[n] for n in ("Parquet", "Avro", "ORC")},
}


@pytest.mark.parametrize("declared", _READ)
def test_g7_the_declared_format_is_held_against_the_bytes(declared: str) -> None:
    """Each of the formats for each feed, and everything else for none."""
    for name, data in {**_READ, **REAL, "JSON document": b'[{"id":"a"}]'}.items():
        if name.lower() == declared:
            inspect_head(data, len(data), _feed(declared))
            continue
        with pytest.raises(PermanentError) as caught:
            inspect_head(data, len(data), _feed(declared))
        assert caught.value.reason == "wrong_format", (declared, name)
        assert declared in caught.value.detail


@pytest.mark.parametrize("name", ["Parquet", "Avro", "ORC"])
def test_g7_gzip_around_a_format_that_packs_itself_is_refused(name: str) -> None:
    import gzip

    data = gzip.compress(REAL[name])
    for declared in (name.lower(), "csv"):
        with pytest.raises(PermanentError, match="packed by gzip around") as caught:
            inspect_head(data, len(data), _feed(declared))
        assert caught.value.reason == "wrong_format"


def test_g7_parquet_that_was_cut_is_refused_before_it_is_loaded() -> None:
    data = REAL["Parquet"]
    for cut in (data[:-1], data[:100], b"PAR1\x15"):
        with pytest.raises(PermanentError, match="cut off") as caught:
            inspect_head(cut, len(cut), _feed("parquet"))
        assert caught.value.reason == "malformed_file"
    # Of a large file the end is looked at by itself.
    inspect_head(data[:100], 10**6, _feed("parquet"))
    inspect_tail(b"PAR1", _feed("parquet"))
    with pytest.raises(PermanentError, match="cut off"):
        inspect_tail(b"PAR\0", _feed("parquet"))


def test_init_names_what_a_sample_is(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(REAL["workbook"])
    with pytest.raises(InferenceError, match=r"a workbook [(]Excel or OpenDocument[)]: save it as CSV UTF-8"):
        infer(path)
