"""What is read of a document of the Open Data Contract Standard; what else it says is for others.

https://github.com/bitol-io/open-data-contract-standard/blob/main/schema/odcs-json-schema-v3.1.0.json
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, ValidationError

from dropmerge.operations.errors import NotDone
from dropmerge.operations.feeds.odcs import CUSTOM

_Part = TypeVar("_Part")
Some = Annotated[list[_Part], BeforeValidator(lambda value: [] if value is None else value)]
"""Documents write null for a list of nothing."""


class Rule(BaseModel):
    """A quality rule."""

    type: str = "library"
    name: str | None = None
    description: str | None = None
    metric: str | None = None
    rule: str | None = None
    """What `metric` was called before 3.1."""
    query: str | None = None
    arguments: dict[str, Any] | None = None
    mustBe: Any = None

    @property
    def told(self) -> str:
        """For people."""
        return " ".join((self.name or self.description or self.metric or self.rule or self.query or self.type).split())


class Custom(BaseModel):
    property: str
    value: Any = None


class Element(BaseModel):
    name: str
    physicalName: str | None = None
    description: str | None = None
    quality: Some[Rule] = []
    customProperties: Some[Custom] = []

    @property
    def ours(self) -> dict[str, Any]:
        """What an export kept of the contract in a custom property."""
        found = next((one.value for one in self.customProperties if one.property == CUSTOM), None)
        return found if isinstance(found, dict) else {}


class Property(Element):
    logicalType: str | None = None
    physicalType: str | None = None
    logicalTypeOptions: dict[str, Any] | None = None
    required: bool | None = None
    unique: bool | None = None
    primaryKey: bool | None = None
    primaryKeyPosition: int | None = None


class Object(Element):
    properties: Some[Property] = []


class Server(BaseModel):
    type: str
    dataset: str | None = None
    location: str | None = None
    format: str | None = None
    delimiter: str | None = None


class Document(BaseModel):
    apiVersion: Annotated[str, StringConstraints(pattern=r"^v3\.")]
    kind: Literal["DataContract"]
    objects: Annotated[list[Object], Field(alias="schema", min_length=1)]
    servers: Some[Server] = []


def read_document(path: Path) -> Document:
    """Raises NotDone, naming what is wrong."""
    try:
        return Document.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}" for one in error.errors())
        raise NotDone(f"{path} is not a contract of the Open Data Contract Standard 3: {faults}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise NotDone(f"{path} is not YAML: {' '.join(str(error).split())}") from error
