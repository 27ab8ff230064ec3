"""How Google's engine is asked: by its own messages.

To make zetasql's classes of an answer takes twice the time that the engine does.
"""

from __future__ import annotations

import ctypes
from typing import Any

import wasmtime
from zetasql.core import wasm_client
from zetasql.core.local_service import ZetaSqlLocalService


class _CachingConfig(wasmtime.Config):
    """zetasql is a WebAssembly module that takes half a minute of two cores to compile: once a machine is enough."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = True


def _write_bytes(self: Any, at: int, data: bytes) -> None:
    ctypes.memmove(ctypes.addressof(self.memory.data_ptr().contents) + at, data, len(data))


def _read_bytes(self: Any, at: int, size: int) -> bytes:
    return ctypes.string_at(ctypes.addressof(self.memory.data_ptr().contents) + at, size)


wasm_client.Config = _CachingConfig
# zetasql 0.1.5 copies byte by byte, which takes longer than the statements.
wasm_client.WasmClient.write_bytes = _write_bytes
wasm_client.WasmClient.read_bytes = _read_bytes


def call(method: str, request: Any, answer: type[Any]) -> Any:
    """Ask the engine. Raises zetasql's ServerError."""
    client = ZetaSqlLocalService.get_instance().wasm_client
    return client.call_grpc_func(f"ZetaSqlLocalService_{method}", request, answer)


def inner(message: Any) -> tuple[str, Any]:
    """What a message of many kinds is: its field's name, and the message in it."""
    name = ""
    while message.DESCRIPTOR.name.startswith("Any"):
        name = message.WhichOneof("node")
        message = getattr(message, name)
    return name, message


def field_of(message: Any, name: str) -> Any:
    """A field of a message, or of the class that it extends."""
    while name not in message.DESCRIPTOR.fields_by_name:
        message = message.parent
    return getattr(message, name)
