"""SQL templates, read from the `.sql` files beside the steps that run them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import jinja2


def identifier(name: str) -> str:
    """A name in its quotes, dots included. Raises ValueError for what could leave them.

    The last gate: contracts and settings were checked where they were read.
    """
    if not re.fullmatch(r"[\w-]+(\.[\w-]+)*", name):
        raise ValueError(f"{name!r} is not an identifier")
    return f"`{name}`"


def literal(text: str) -> str:
    """A plain text in its quotes. Raises ValueError for what could leave them."""
    if not re.fullmatch(r"[\w:. /+-]*", text, re.ASCII):
        raise ValueError(f"{text!r} cannot be a literal: pass it as a parameter")
    return f"'{text}'"


def labels(pairs: Mapping[str, str]) -> str:
    """The value of the option `labels` of what a statement makes. Raises ValueError as `literal`."""
    return "[" + ", ".join(f"({literal(name)}, {literal(text)})" for name, text in pairs.items()) + "]"


def parameter_of(value: object) -> str:
    """The name of the parameter that has a value of a contract: equal ones have one."""
    return "value_" + hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:12]


class Templates:
    """The SQL templates of a folder, by their file's name; one may include another.

    `| identifier`, `| literal` and `| labels` raise ValueError for what could leave its quotes.
    """

    def __init__(self, folder: Path) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,  # noqa: S701 - SQL
            auto_reload=False,  # which looks for the file at each statement
        )
        self._environment.filters.update(identifier=identifier, literal=literal, labels=labels)

    def render(self, name: str, /, **values: object) -> str:
        """The statement, or script, of this template."""
        return self._environment.get_template(name).render(**values)
