"""BOOL."""

from __future__ import annotations

from services.shared.contract.types.base import Whole


class Bool(Whole):
    name = "BOOL"
    aliases = ("BOOLEAN",)
    texts = "`true` or `false`, in capitals too"
    pattern = "[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]"
    malformed = "not_a_boolean"

    def parse(self, text: str) -> bool:
        return self.matched(text).lower() == "true"

    def cast(self, text: str) -> str:
        return f"CASE LOWER({text}) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END"
