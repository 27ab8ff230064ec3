"""What a format's module asks of a contract: names and options, nothing of types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from services.shared.contract.formats import Format


class Contract(Protocol):
    """The part of a feed that the modules of formats read."""

    @property
    def name(self) -> str:
        """The feed's."""

    @property
    def format(self) -> Format: ...

    @property
    def names_in_file(self) -> Mapping[str, str]:
        """By its name in a file, what each column is called that is read by name, the delete column last."""

    @property
    def places(self) -> Mapping[int, str]:
        """By its place in a record, from 1, what each column is called that is read by place."""

    @property
    def reads_json(self) -> Mapping[str, str]:
        """Columns whose text is JSON where a file has such a value: `any` value, or an `array` only."""

    @property
    def of_every_row(self) -> tuple[str, ...]: ...

    @property
    def delete(self) -> object | None: ...

    @property
    def missing_columns(self) -> str: ...

    @property
    def unknown_columns(self) -> str: ...
