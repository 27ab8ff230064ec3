"""A warehouse that lives as long as the command, and the files that are put before it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from google.cloud import bigquery

from localcloud.alone import running_warehouse
from services.shared.datasets import OPS, STAGING
from services.shared.warehouse import Warehouse

_SECONDS = 3600.0
"""For one statement."""


@dataclass(frozen=True)
class Sandbox:
    folder: Path
    url: str

    def warehouse(self, project: str) -> Warehouse:
        """Of a project of this name, in which no other has tables."""
        # Not by the environment, which may point to the person's own local cloud, or have a proxy for the Internet.
        credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
        session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
        session.trust_env = False
        options = ClientOptions(api_endpoint=self.url)
        client = bigquery.Client(project, credentials=credentials, client_options=options, _http=session)
        warehouse = Warehouse(client, _SECONDS)
        for dataset in (STAGING, OPS):
            warehouse.create_dataset(dataset)
        return warehouse

    def put(self, file: Path, bucket: str, name: str) -> str:
        """Where the warehouse loads a file from, under the names of a bucket and an object."""
        target = self.folder / "bucket" / bucket / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            # A large file is not copied; a symbolic link is refused, as it leads out of the bucket.
            os.link(file.resolve(), target)
        except OSError:
            shutil.copyfile(file, target)
        return f"gs://{bucket}/{name}"


@contextmanager
def sandbox(is_stopped: Callable[[], bool]) -> Iterator[Sandbox]:
    """Started, and gone at the end with all that is in it. Raises as `running_warehouse`."""
    with tempfile.TemporaryDirectory(prefix="dropmerge-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with running_warehouse(folder, is_stopped) as url:
            yield Sandbox(folder, url)
