"""The table of every option in docs/contracts.md: `python -m dropmerge.operations.feeds.option_table` prints it."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from dropmerge.operations.feeds.schema import Schema, options, schema
from services.shared.contract.wording import IS


def table() -> list[str]:
    """Its lines, in Markdown; a contract's own order."""
    made = schema()
    rows = dict.fromkeys(_row(path, part, made) for path, part in options(made))
    return ["| option | what it is | default |", "|---|---|---|", *rows]


def _row(path: str, part: Schema, schema: Schema) -> str:
    formats = list(_formats(path, schema))
    where = f" ({', '.join(formats)})" if formats else ""
    what = (IS.get(path) or part["description"]).replace("|", "\\|")
    return f"| `{path.replace('.*.', '[].')}`{where} | {what} | {_default(part)} |"


def _formats(path: str, schema: Schema) -> Iterator[str]:
    """Those that have an option of `format`, where not all have it."""
    models = {
        name: schema["$defs"][ref.rpartition("/")[2]]["properties"]
        for name, ref in schema["properties"]["format"]["discriminator"]["mapping"].items()
    }
    having = [name for name, one in models.items() if path.startswith("format.") and path[7:] in one]
    if len(having) < len(models):
        yield from having


def _default(part: Schema) -> str:
    if "default" not in part:
        return "required"
    default = part["default"]
    if default in (None, "", []):
        return "none"
    text = yaml.safe_dump(default, default_flow_style=True, allow_unicode=True).strip().removesuffix("\n...")
    return f"`{text}`"


if __name__ == "__main__":
    print("\n".join(table()))
