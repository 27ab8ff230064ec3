"""BOOL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from services.shared.contract.types.base import Whole
from services.shared.sql import parameter_of


@dataclass(frozen=True)
class Bool(Whole):
    name = "BOOL"
    aliases = ("BOOLEAN",)
    texts = "`true` or `false`, also in capitals"
    pattern = "[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]"
    malformed = "not_a_boolean"
    takes: ClassVar[tuple[str, ...]] = ("words",)

    words: Mapping[str, bool] = field(default_factory=dict)
    """Texts and what each means. Where there are some, there are no others."""

    def with_options(self, options: Mapping[str, Any]) -> Self:
        return replace(self, words=options.get("words", {}))

    @property
    def taken(self) -> str:
        return f"one of {', '.join(self.words)}" if self.words else self.texts

    def parse(self, text: str) -> bool:
        if not self.words:
            return self.matched(text).lower() == "true"
        if text not in self.words:
            raise ValueError(f"{text!r} is none of {', '.join(self.words)}")
        return self.words[text]

    def cast(self, text: str) -> str:
        if not self.words:
            return f"CASE LOWER({text}) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END"
        return (
            f"CASE WHEN {text} IN ({self._named(True)}) THEN TRUE WHEN {text} IN ({self._named(False)}) THEN FALSE END"
        )

    def parameters(self) -> Iterator[tuple[str, tuple[str, Any]]]:
        return ((parameter_of(word), ("STRING", word)) for word in self.words)

    def _named(self, value: bool) -> str:
        return ", ".join(f"@{parameter_of(word)}" for word, means in self.words.items() if means is value)
