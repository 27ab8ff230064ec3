"""Pin a generation: copy it, server-side, to a name of its own in the archive bucket."""

from __future__ import annotations

from google.api_core import exceptions as google
from google.cloud import storage  # type: ignore[attr-defined]  # has no types

from services.shared.load import Load

_TIMEOUT = 60.0


def pin(client: storage.Client, load: Load, archive: str) -> storage.Blob | None:
    """The immutable copy, made now or by an earlier delivery; None when the generation is gone."""
    target = client.bucket(archive).blob(load.archive_name)
    # Of its own: what the sender declared, such as Content-Encoding, says nothing about how it is loaded.
    target.content_type = "text/csv"
    target.metadata = load.archive_metadata
    if target.exists(timeout=_TIMEOUT):
        target.reload(timeout=_TIMEOUT)
        return target
    source = client.bucket(load.source.bucket).blob(load.source.name, generation=load.source.generation)
    token: str | None = None
    try:
        while True:
            token, _, _ = target.rewrite(
                source,
                token=token,
                if_generation_match=0,
                if_source_generation_match=load.source.generation,
                timeout=_TIMEOUT,
            )
            if token is None:
                break
    except (google.PreconditionFailed, google.NotFound):
        # Another delivery pinned it first, the source's generation is gone, or a bucket is.
        if not target.exists(timeout=_TIMEOUT):
            for bucket in (load.source.bucket, archive):
                if not client.bucket(bucket).exists(timeout=_TIMEOUT):
                    raise
            return None
    # By name alone: whichever delivery pinned it, the bytes are the same.
    pinned = client.bucket(archive).blob(load.archive_name)
    pinned.reload(timeout=_TIMEOUT)
    return pinned
