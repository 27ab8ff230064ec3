"""A JSON Schema of contracts, made from the models that read them: what an editor completes, shows and checks.

It says what each part may be. What parts cannot be to each other, and what SQL a check may have, is for `feeds check`.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from services.shared.contract.feed import Feed
from services.shared.contract.wording import IS

Schema = dict[str, Any]


def schema_text() -> str:
    """What is published: JSON, two blanks a step."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> Schema:
    """A schema of draft 2020-12 (https://json-schema.org/draft/2020-12)."""
    made = Feed.model_json_schema(schema_generator=_Generator)
    for path, part in options(made):
        part["description"] = _described(part.get("description"), IS.get(path))
    return {"$schema": _Generator.schema_dialect, "title": "A contract of dropmerge", **made}


def _described(words: str | None, what: str | None) -> str:
    """By the model's words and by those of its faults; nothing where there are neither."""
    return f"{words} It is {what}." if words and what else words or what or ""


def options(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Each key that a contract may have, as `columns.*.type`, and its part of the schema; in each format that has it."""
    yield from _options(schema, "", schema["$defs"])


def _options(part: Schema, above: str, models: Mapping[str, Schema]) -> Iterator[tuple[str, Schema]]:
    if "$ref" in part:
        yield from _options(models[part["$ref"].rpartition("/")[2]], above, models)
    for inner in (*part.get("anyOf", ()), *part.get("oneOf", ())):
        yield from _options(inner, above, models)
    if "items" in part:
        yield from _options(part["items"], f"{above}.*", models)
    for name, inner in part.get("properties", {}).items():
        path = f"{above}.{name}" if above else name
        yield path, inner
        yield from _options(inner, path, models)


class _Generator(GenerateJsonSchema):
    """pydantic's, with the models' own words for each field and no titles made of their names."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        docs = _docstrings(schema["cls"])
        for name, field in schema["cls"].model_fields.items():
            if name in docs:
                made["properties"][field.alias or name]["description"] = docs[name]
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


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
    for name, text in zip(body, body[1:], strict=False):
        match name, text:
            case ast.AnnAssign(target=ast.Name(id=field)), ast.Expr(value=ast.Constant(value=str(words))):
                yield field, " ".join(words.split())
