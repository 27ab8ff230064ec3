"""The "staged" message, from ingest to merge."""

from __future__ import annotations

import json
from dataclasses import dataclass

from services.shared.errors import PermanentError
from services.shared.generation import GENERATIONS, ObjectGeneration
from services.shared.load import Load
from services.shared.messages.fault import fault

MERGE_NOW = "merge_now"
"""Attribute of a message that does not wait until its main table is due."""


@dataclass(frozen=True)
class StagedMessage:
    """References only, never rows. Unknown fields are ignored: services of two ages run at once."""

    load: Load
    contract: str
    """The fingerprint of the contract by which the file was read; empty where an older release staged it."""

    def encode(self) -> bytes:
        fields = {"feed": self.load.feed, **self.load.source.fields, "contract": self.contract}
        return json.dumps(fields, ensure_ascii=True).encode()

    @classmethod
    def decode(cls, data: bytes) -> StagedMessage:
        """Raises: PermanentError("malformed_message")."""
        try:
            fields = json.loads(data)
            feed, bucket, name = texts = [fields[field] for field in ("feed", "bucket", "object")]
            if not all(isinstance(text, str) and text.encode() for text in texts):
                raise _malformed("feed, bucket and object must be text")
            generation = fields["generation"]
            if type(generation) is not int or generation not in GENERATIONS:
                raise _malformed("generation must be a whole number that fits in 64 bits")
            contract = fields.get("contract", "")
            if not isinstance(contract, str):
                raise _malformed("contract must be text")
            return cls(Load(feed, ObjectGeneration(bucket, name, generation)), contract)
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise _malformed(fault(error)) from error


def _malformed(why: str) -> PermanentError:
    return PermanentError("malformed_message", f"not a staged message: {why}")
