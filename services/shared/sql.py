"""SQL templates, read from the `.sql` file beside the step that runs them."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2


def _identifier(name: str) -> str:
    # The last gate: contracts and settings were checked where they were read.
    if not re.fullmatch(r"[\w-]+(\.[\w-]+)*", name):
        raise ValueError(f"{name!r} is not an identifier")
    return f"`{name}`"


def _literal(text: str) -> str:
    if not re.fullmatch(r"[\w:. +-]*", text, re.ASCII):
        raise ValueError(f"{text!r} cannot be a literal: pass it as a parameter")
    return f"'{text}'"


_PREFIXES = {"STRING": "", "NUMERIC": "NUMERIC ", "DATE": "DATE ", "TIMESTAMP": "TIMESTAMP "}


def _constant(text: str, kind: str) -> str:
    if kind == "INT64" and re.fullmatch(r"-?[0-9]+", text, re.ASCII):
        return text
    if kind not in _PREFIXES:
        raise ValueError(f"{text!r} cannot be a literal of {kind}")
    return _PREFIXES[kind] + _literal(text)


_environment = jinja2.Environment(
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,  # noqa: S701 - SQL
)
_environment.filters.update(identifier=_identifier, literal=_literal, constant=_constant)


def render(template: Path, **values: object) -> str:
    """Fill a template; `| identifier`, `| literal` and `| constant(type)` refuse what could leave its quotes."""
    return _environment.from_string(template.read_text(encoding="utf-8")).render(**values)
