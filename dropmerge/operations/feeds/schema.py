"""A JSON Schema of contracts, made from the models that read them: what an editor completes, shows and checks.

It says what each part may be, and whether a mode needs key and version. What else parts cannot be to each other, and
what SQL a check may have, is for `feeds check`.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from services.shared.contract import synonyms
from services.shared.contract.feed import Feed
from services.shared.contract.formats import FORMATS
from services.shared.contract.types import TYPES
from services.shared.contract.wording import IS

Schema = dict[str, Any]
SYNONYMS: Mapping[str, Mapping[str, str]] = {
    place: {one.word: one.target for one in words}
    for place, words in {"": synonyms.FEED, "format": synonyms.FORMAT, "columns.*": synonyms.COLUMN}.items()
}
"""Other words that are taken, by the path of the mapping that has them, such as `columns.*`: word to option."""
_SYNONYM = "x-synonym-of"
"""Of a part: the option that it says in another word."""
_SOURCE_FORMATS: Mapping[str, str] = {**{name: name.upper() for name in FORMATS}, "ndjson": "NEWLINE_DELIMITED_JSON"}
"""By format, what BigQuery calls it."""


def schema_text() -> str:
    """What is published: JSON, two blanks a step."""
    return json.dumps(schema(), indent=2) + "\n"


def schema() -> Schema:
    """A schema of draft 2020-12 (https://json-schema.org/draft/2020-12)."""
    made = Feed.model_json_schema(schema_generator=_Generator)
    for path, part in options(made):
        part["description"] = _described(part.get("description"), IS.get(path))
        if path == "columns.*.type":
            part["enum"] = [name for one in TYPES.values() for name in (one.name, *one.aliases)]
        if path == "format.encoding":
            _ignore_case(part)
    _add_synonyms(made, SYNONYMS)
    _add_source_format(made)
    made["allOf"] = [_of_mode(["append", "snapshot"], "version"), _of_mode(["append"], "key")]
    return {"$schema": _Generator.schema_dialect, "title": "A contract of dropmerge", **made}


def _described(words: str | None, what: str | None) -> str:
    """By the model's words and by those of its faults; nothing where there are neither."""
    return f"{words} It is {what}." if words and what else words or what or ""


def _ignore_case(part: Schema) -> None:
    """Take words in capitals too; those in small letters stay, for an editor to offer them."""
    words = part.pop("enum", None) or [part.pop("const")]
    patterns = ("".join(f"[{one.upper()}{one}]" if one.isalpha() else one for one in word) for word in words)
    part["anyOf"] = [{"enum": words}, {"pattern": f"^({'|'.join(patterns)})$"}]


def options(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Each key that a contract may have, such as `columns.*.type`, and its part; synonyms are left out.

    One that several formats have comes once for each.
    """
    yield from _options(schema, "", schema["$defs"])


def _options(part: Schema, above: str, models: Mapping[str, Schema]) -> Iterator[tuple[str, Schema]]:
    if "$ref" in part:
        yield from _options(models[part["$ref"].rpartition("/")[2]], above, models)
    for inner in (*part.get("anyOf", ()), *part.get("oneOf", ())):
        yield from _options(inner, above, models)
    if "items" in part:
        yield from _options(part["items"], f"{above}.*", models)
    for name, inner in part.get("properties", {}).items():
        if _SYNONYM not in inner:
            path = f"{above}.{name}" if above else name
            yield path, inner
            yield from _options(inner, path, models)


def _add_synonyms(schema: Schema, synonyms: Mapping[str, Mapping[str, str]]) -> None:
    """Each takes any value: what it may be, where that is not the option's own, is for `feeds check`."""
    for place, words in synonyms.items():
        for mapping in _mappings(schema, place):
            found = {word: option for word, option in words.items() if option in mapping}
            mapping.update({word: _other_word(option, {}) for word, option in found.items()})


def _add_source_format(schema: Schema) -> None:
    """The one synonym of an option that must be there."""
    for name, ref in schema["properties"]["format"]["discriminator"]["mapping"].items():
        model = schema["$defs"][ref.rpartition("/")[2]]
        if "source_format" in model["properties"]:
            model["properties"]["source_format"]["const"] = _SOURCE_FORMATS[name]
            model["required"].remove("type")
            model["anyOf"] = [{"required": ["type"]}, {"required": ["source_format"]}]


def _of_mode(without: list[str], option: str) -> Schema:
    """An option that each mode needs but those."""
    # An empty list is as good as none.
    there = {"required": [option], "properties": {option: {"not": {"enum": [None, []]}}}}
    return {"if": {"required": ["mode"], "properties": {"mode": {"enum": without}}}, "else": there}


def _mappings(schema: Schema, place: str) -> Iterator[Schema]:
    """The properties of each mapping that may be at a place."""
    parts = [schema] if not place else [part for path, part in options(schema) if path == place.removesuffix(".*")]
    waiting = list(parts)
    while waiting:
        part = waiting.pop()
        if "properties" in part:
            yield part["properties"]
        waiting += [*part.get("anyOf", ()), *part.get("oneOf", ()), *([part["items"]] if "items" in part else ())]
        if "$ref" in part:
            waiting.append(schema["$defs"][part["$ref"].rpartition("/")[2]])


def _other_word(option: str, part: Schema) -> Schema:
    return {**part, "description": f"Another word for {option}.", _SYNONYM: option}


class _Generator(GenerateJsonSchema):
    """pydantic's, with the models' own words for each field and no titles made of their names."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        docs, properties = _docstrings(schema["cls"]), made["properties"]
        for name, field in schema["cls"].model_fields.items():
            option, *others = _words(field.validation_alias or field.alias or name)
            if name in docs:
                properties[option]["description"] = docs[name]
            properties |= {word: _other_word(option, properties[option]) for word in others}
        return made

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        made = super().str_schema(schema)
        if "pattern" in made:
            # Only the regular expressions of Rust, which pydantic has, write a character so.
            made["pattern"] = re.sub(r"\\x\{([0-9A-Fa-f]+)\}", lambda code: chr(int(code[1], 16)), made["pattern"])
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _words(alias: str | AliasPath | AliasChoices) -> list[str]:
    return [str(one) for one in alias.choices] if isinstance(alias, AliasChoices) else [str(alias)]


def _docstrings(model: type[BaseModel]) -> Mapping[str, str]:
    """Name to the text below it, of fields of the class and those that it has from others."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            (node,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
            found |= _below(node)
    return found


def _below(node: ast.stmt) -> Iterator[tuple[str, str]]:
    body = node.body if isinstance(node, ast.ClassDef) else []
    for name, text in itertools.pairwise(body):
        match name, text:
            case ast.AnnAssign(target=ast.Name(id=field)), ast.Expr(value=ast.Constant(value=str(words))):
                yield field, " ".join(words.split())
