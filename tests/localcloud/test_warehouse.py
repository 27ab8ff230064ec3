"""The local warehouse reads CSV files by the load job's options, as BigQuery does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import BadRequest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from localcloud import environment
from localcloud.cloud import LocalCloud

Rows = list[tuple[str | None, ...]]


class Loader:
    """Loads files into tables of one dataset."""

    def __init__(self, client: bigquery.Client, bucket: Path, dataset: str) -> None:
        self.client, self._bucket, self._dataset = client, bucket, dataset

    def table(self) -> str:
        """A name that no table has."""
        return f"{environment.PROJECT}.{self._dataset}.t_{uuid.uuid4().hex}"

    def load(self, data: bytes, table: str, columns: str = "ab", **options: Any) -> Rows:
        """Load a file into the table; its rows."""
        name = f"{uuid.uuid4().hex}.csv"
        self._bucket.mkdir(exist_ok=True)
        (self._bucket / name).write_bytes(data)
        config = bigquery.LoadJobConfig(
            **{
                "source_format": bigquery.SourceFormat.CSV,
                "schema": [bigquery.SchemaField(column, "STRING") for column in columns],
                "skip_leading_rows": 1,
                "allow_quoted_newlines": True,
                "write_disposition": bigquery.WriteDisposition.WRITE_TRUNCATE,
                **options,
            }
        )
        self.client.load_table_from_uri(f"gs://{self._bucket.name}/{name}", table, job_config=config).result()
        return [tuple(row.values()) for row in self.client.list_rows(self.client.get_table(table))]


@pytest.fixture(scope="module")
def loader(local_cloud: LocalCloud) -> Iterator[Loader]:
    """A loader into a dataset of its own."""
    client = bigquery.Client(
        project=environment.PROJECT,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options=ClientOptions(api_endpoint=local_cloud.read()["DROPMERGE_WAREHOUSE_URL"]),
    )
    dataset = f"csv_{uuid.uuid4().hex}"
    client.create_dataset(dataset)
    yield Loader(client, local_cloud.state / "bucket" / "csv-files", dataset)
    client.delete_dataset(dataset, delete_contents=True)
    client.close()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        pytest.param(b"a,b\n1,2\n3,4\n", [("1", "2"), ("3", "4")], id="LF"),
        pytest.param(b"a,b\r\n1,2\r\n3,4\r\n", [("1", "2"), ("3", "4")], id="CRLF"),
        pytest.param(b"a,b\r\n1,2\n3,4\r\n", [("1", "2"), ("3", "4")], id="LF and CRLF mixed"),
        pytest.param(b"a,b\r\n1,2\r\n3,4", [("1", "2"), ("3", "4")], id="no newline after CRLF lines"),
        pytest.param(b"a,b\n1,2\n3,4", [("1", "2"), ("3", "4")], id="no newline after LF lines"),
        pytest.param(b'a,b\r\n"1\n\r\n2",3\r\n', [("1\n\r\n2", "3")], id="newlines in quotes are kept"),
        pytest.param(b'a,b\n"1\r2",3\n', [("1\r2", "3")], id="CR in quotes is kept"),
        pytest.param(b'a,b\n"x""y","""z"""\n', [('x"y', '"z"')], id="doubled quotes"),
        pytest.param(b'a,b\n"x,y",2\n', [("x,y", "2")], id="delimiter in quotes"),
        pytest.param(b'"a\nz",b\n1,2\n', [("1", "2")], id="header of two lines"),
        pytest.param(b"a,b\n", [], id="header only"),
        pytest.param(b"a,b", [], id="header only without newline"),
        pytest.param(b"\xef\xbb\xbfa,b\n1,2\n", [("1", "2")], id="BOM"),
        pytest.param(b"a,b\n\n1,2\r\n\r\n\n", [("1", "2")], id="blank lines"),
        pytest.param(b"a,b\n 1 ,#2\n", [(" 1 ", "#2")], id="spaces and signs are text"),
        pytest.param("a,b\né,😀\n".encode(), [("é", "😀")], id="UTF-8"),
        pytest.param(
            b'a,b\nM\xfcller,"\xff"\nM\xf6ller,\xe9\n',
            [("M\ufffdller", "\ufffd"), ("M\ufffdller", "\ufffd")],
            id="not UTF-8",
        ),
    ],
)
def test_a_good_file_loads(loader: Loader, data: bytes, rows: Rows) -> None:
    """Every file that RFC 4180 allows loads, with LF for CRLF, a last line that does not end, U+FFFD for odd bytes."""
    assert sorted(loader.load(data, loader.table())) == rows


def test_empty_fields_are_null(loader: Loader) -> None:
    """An empty field is NULL or empty, quoted or not."""
    assert [[value or None for value in row] for row in loader.load(b'a,b\n"",\n', loader.table())] == [[None, None]]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b'a,b\n1,2\n"x,2\n', "line 3, field 1: .*never closed", id="open quote"),
        pytest.param(b'a,b\n1,"x', "line 2, field 2: .*never closed", id="open quote at the end"),
        pytest.param(b'a,b\n"x"y,2\n', "line 2, field 1: .*after the closing quote", id="text after a quote"),
        pytest.param(b'a,b\n"x" ,2\n', "line 2, field 1: .*after the closing quote", id="space after a quote"),
        pytest.param(b'a,b\n1,x"y\n', "line 2, field 2: .*quote within", id="quote within a field"),
        pytest.param(b'a,b\n "x",2\n', "line 2, field 1: .*quote within", id="quote after a space"),
        pytest.param(b"a,b\n1\r3,2\n", "line 2, field 1: .*CR without LF", id="bare CR"),
        pytest.param(b"a,b\n1,2\r", "line 2, field 2: .*CR without LF", id="bare CR at the end"),
        pytest.param(b"a,b\n1,2\n3\n", "line 3: .*1 fields.*2 columns", id="too few fields"),
        pytest.param(b"a,b\n1,2,3\n", "line 2: .*3 fields.*2 columns", id="too many fields"),
        pytest.param(b"a,b\n1,2,\n", "line 2: .*3 fields.*2 columns", id="one empty field too many"),
        pytest.param(b'a,b\n"\n\n",2\n3\n', "line 5: .*1 fields", id="newlines in quotes count as lines"),
        pytest.param(b"a,b\n1,\0\n", "line 2: .*NUL", id="NUL"),
    ],
)
def test_a_bad_file_is_refused_whole(loader: Loader, data: bytes, message: str) -> None:
    """A fault fails the job with reason `invalid`, names the line, and leaves no table that was not there."""
    table = loader.table()
    with pytest.raises(BadRequest, match=message) as caught:
        loader.load(data, table)
    assert caught.value.errors[0]["reason"] == "invalid"
    assert table.rpartition(".")[2] not in [item.table_id for item in loader.client.list_tables(table.split(".")[1])]


def test_a_good_file_loads_where_a_bad_one_failed(loader: Loader) -> None:
    """The table of a failed load can be made by the next."""
    table = loader.table()
    with pytest.raises(BadRequest):
        loader.load(b"a,b\n1\n", table)
    assert loader.load(b"a,b\n1,2\n", table) == [("1", "2")]


@pytest.mark.parametrize(
    ("data", "options", "rows"),
    [
        pytest.param(b"a;b\n1,1;2\n", {"field_delimiter": ";"}, [("1,1", "2")], id="delimiter"),
        pytest.param(b"a\tb\n1\t2\n", {"field_delimiter": "\t"}, [("1", "2")], id="tab"),
        pytest.param(
            b"a|b\n1|2\n", {"field_delimiter": "|"}, [("1", "2")], id="bar, which means something in a regex"
        ),
        pytest.param(b"a,b\n'x,''y',2\n", {"quote_character": "'"}, [("x,'y", "2")], id="another quote"),
        pytest.param(b'a,b\n"x,y"\n', {"quote_character": ""}, [('"x', 'y"')], id="no quote"),
        pytest.param(b"1,2\n", {"skip_leading_rows": 0}, [("1", "2")], id="no header"),
        pytest.param(b"a,b,c\nd\n1,2\n", {"skip_leading_rows": 2}, [("1", "2")], id="header of another width"),
        pytest.param(b"a,b\n\xe9,2\n", {"encoding": "ISO-8859-1"}, [("é", "2")], id="encoding"),
    ],
)
def test_the_options_of_the_job_hold(loader: Loader, data: bytes, options: dict[str, Any], rows: Rows) -> None:
    """Delimiter, quote, rows to skip and encoding are those of the job, not guessed."""
    assert loader.load(data, loader.table(), **options) == rows


def test_newlines_in_quotes_are_refused_unless_allowed(loader: Loader) -> None:
    """Without allowQuotedNewlines a quote must close on its line."""
    with pytest.raises(BadRequest, match=r"line 2, field 1: .*allowQuotedNewlines"):
        loader.load(b'a,b\n"1\n2",3\n', loader.table(), allow_quoted_newlines=False)


def test_a_fault_after_many_blocks_is_found(loader: Loader) -> None:
    """The error for a file read in many blocks names the line of the fault."""
    good = b"a,b\r\n" + b'"some\n text",more text\r\n' * 600_000
    table = loader.table()
    with pytest.raises(BadRequest, match="line 1200002: the record has 1 fields"):
        loader.load(good + b"1\n", table)


def test_a_long_field_loads(loader: Loader) -> None:
    """A field may be longer than a block and than DuckDB's own limit of two million bytes."""
    [(first, second)] = loader.load(b'a,b\n"' + b"x\n" * 5_000_000 + b'",2\n', loader.table())
    assert (len(first or ""), second) == (10_000_000, "2")


def test_tables_listed_at_once_have_their_own_rows(loader: Loader) -> None:
    """While other tables are loaded and listed."""
    with ThreadPoolExecutor(8) as pool:
        texts = [f"row {number}" for number in range(64)]
        found = pool.map(lambda text: loader.load(f"a,b\n{text},{text}\n".encode(), loader.table()), texts)
        assert list(found) == [[(text, text)] for text in texts]
