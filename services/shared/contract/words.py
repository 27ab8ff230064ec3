"""What a contract says of a BOOL column's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, StrictBool
from pydantic_core import PydanticCustomError


def _words(value: object) -> object:
    if not isinstance(value, dict):
        return value
    if not all(isinstance(word, str) for word in value):
        raise PydanticCustomError("invalid_key", "told where the file is read")
    for word, means in value.items():
        if not isinstance(means, bool):
            raise ValueError(f"{word!r} is to be true or false, which {means!r} is not")
    if "" in value:
        raise ValueError("an empty text is NULL: it cannot be a word")
    missing = {True, False} - set(value.values())
    if missing:
        raise ValueError(f'no word is {str(missing.pop()).lower()}: write both, such as {{"Yes": true, "No": false}}')
    return value


# One for true, one for false.
_AtLeastTwo = Annotated[Mapping[str, StrictBool], Field(min_length=2)]
Words = Annotated[Mapping[str, StrictBool], BeforeValidator(_words, json_schema_input_type=_AtLeastTwo)]
