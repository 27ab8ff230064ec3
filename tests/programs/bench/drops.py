"""Files of accounts: small ones dropped at once, or one from the disk, dropped or laid elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from google.cloud.storage import Blob

from tests.harness.pipeline import HEADER, Pipeline, row


def drop_small(pipeline: Pipeline, scores: Mapping[str, int]) -> list[str]:
    """One row each, by its key and score, all at once. Returns them as gs://bucket/object#generation."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda key: pipeline.drop(f"{key}.csv", HEADER + row(key, scores[key])), scores))


def drop_large(pipeline: Pipeline, file: Path) -> str:
    """A file of any size. Returns it as gs://bucket/object#generation."""
    blob = upload(pipeline, "landing", f"incoming/accounts/{file.name}", file)
    return f"gs://landing/{blob.name}#{blob.generation}"


def upload(pipeline: Pipeline, bucket: str, name: str, file: Path) -> Blob:
    """A file of any size, to where dropmerge takes it or where it does not."""
    blob = pipeline.connection.storage.bucket(bucket).blob(name)
    blob.upload_from_filename(str(file), timeout=600)
    return blob
