"""dlt with `write_disposition="merge"`, set as well as its documentation allows.

Arrow tables with exact types (no row passes through Python), the newest row of a file wins (`dedup_sort`), and deletes
delete (`hard_delete`): https://dlthub.com/docs/general-usage/merge-loading.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dlt
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from dlt.common.configuration.specs import GcpServiceAccountCredentials
from dlt.destinations import bigquery
from pyarrow import csv

from tests.programs.bench.rivals.serve import serve

_TYPES = {
    "customer_id": pa.string(),
    "account_number": pa.string(),
    "credit_score": pa.int64(),
    "account_balance": pa.decimal128(38, 9),
    "last_modified": pa.timestamp("us", tz="UTC"),
    "operation": pa.string(),
}


class _Tokens(BaseHTTPRequestHandler):
    """dlt signs in as a service account, whose token the local warehouse does not read."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps({"access_token": "none", "expires_in": 86400, "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _account() -> GcpServiceAccountCredentials:
    """One that signs in at a server of this process."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Tokens)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pem = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    account = GcpServiceAccountCredentials()
    account.project_id = os.environ["GOOGLE_CLOUD_PROJECT"]
    account.client_email = "bench@localhost"
    account.private_key = pem.decode()
    account.token_uri = f"http://127.0.0.1:{server.server_port}/token"
    return account


def _rows(path: str) -> Iterator[pa.Table]:
    options = csv.ConvertOptions(column_types=_TYPES)
    for batch in csv.open_csv(path, convert_options=options):
        table = pa.Table.from_batches([batch])
        yield table.drop_columns(["operation"]).append_column("is_deleted", pc.equal(table["operation"], "D"))


class Loader:
    """One dlt pipeline; its working folder is of this run alone."""

    def open(self, folder: str, dataset: str) -> None:
        dlt.config["runtime.dlthub_telemetry"] = False
        # A table that is not there is answered otherwise by the local warehouse than dlt expects: 403 about the table.
        dlt.config["restore_from_destination"] = False
        destination = bigquery(credentials=_account())
        self._pipeline = dlt.pipeline("bench", pipelines_dir=folder, destination=destination, dataset_name=dataset)

    def merge(self, file: str, table: str) -> None:
        resource = dlt.resource(
            _rows(file),
            name=table,
            write_disposition="merge",
            primary_key=["customer_id", "account_number"],
            columns={
                "last_modified": {"dedup_sort": "desc"},
                "is_deleted": {"hard_delete": True},
                "account_balance": {"data_type": "decimal", "precision": 38, "scale": 9},
            },
        )
        self._pipeline.run(resource, loader_file_format="parquet").raise_on_failed_jobs()


if __name__ == "__main__":
    loader = Loader()
    serve({"open": loader.open, "merge": loader.merge})
