"""The function that people write first: download, pandas, a temporary table, MERGE by key.

Its ids are read as text and its money is cast back to NUMERIC, so it is not the worst of its kind.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pandas as pd
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from tests.programs.bench.rivals.serve import serve

_KEY = ["customer_id", "account_number"]
_MERGE = """
MERGE `{table}` AS t
USING `{table}_new` AS s
ON t.customer_id = s.customer_id AND t.account_number = s.account_number
WHEN MATCHED AND s.operation = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET
  credit_score = CAST(s.credit_score AS INT64),
  account_balance = CAST(s.account_balance AS NUMERIC),
  last_modified = s.last_modified
WHEN NOT MATCHED AND s.operation != 'D' THEN
  INSERT (customer_id, account_number, credit_score, account_balance, last_modified)
  VALUES (s.customer_id, s.account_number, CAST(s.credit_score AS INT64), CAST(s.account_balance AS NUMERIC),
          s.last_modified)
"""

_PROJECT = os.environ["GOOGLE_CLOUD_PROJECT"]
_NOBODY = AnonymousCredentials()  # type: ignore[no-untyped-call]
_STORAGE = storage.Client(project=_PROJECT, credentials=_NOBODY)
_BIGQUERY = bigquery.Client(project=_PROJECT, credentials=_NOBODY)


def merge(bucket: str, name: str, table: str) -> None:
    """One file of the bucket into the table, full name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        _STORAGE.bucket(bucket).blob(name).download_to_filename(str(path))
        rows = pd.read_csv(path, dtype=dict.fromkeys(_KEY, str), parse_dates=["last_modified"])
        rows = rows.drop_duplicates(_KEY, keep="last")
        # As load_table_from_dataframe does, whose upload of a small frame the local warehouse does not take.
        parquet = Path(folder) / "rows.parquet"
        rows.to_parquet(parquet, index=False)
        config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_TRUNCATE")
        with parquet.open("rb") as file:
            _BIGQUERY.load_table_from_file(file, f"{table}_new", job_config=config).result()
    _BIGQUERY.query(_MERGE.format(table=table)).result()


if __name__ == "__main__":
    serve({"merge": merge})
