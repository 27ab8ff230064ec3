"""Fields whose delimiters and quotes are escaped by a backslash: how a line is split, in Python and in SQL alike.

The patterns are of RE2's syntax, in which BigQuery reads them
(https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#regexp_extract_all), and of Python's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from services.shared.contract.formats import Csv


def patterns(options: Csv) -> Mapping[str, str]:
    """By name: `record` fits a line that can be split, `field` finds each field with the delimiter after it, if one is
    put after the last; `quoted` and `bare` find in a field what stands for its second character."""
    delimiter = re.escape(options.delimiter)
    if options.quote == "none":
        field = rf"(?:[^{delimiter}\\]|\\.)*"
        escaped = rf"\\([{delimiter}\\])"
    else:
        field = rf'"(?:[^"\\]|\\.|"")*"|(?:[^"{delimiter}\\]|\\.)(?:[^{delimiter}\\]|\\.)*|'
        escaped = rf'\\([{delimiter}"\\])'
    return {
        "record": rf"^(?:(?:{field}){delimiter})*$",
        "field": rf"(?:{field}){delimiter}",
        "quoted": rf'{escaped}|"(")',
        "bare": escaped,
    }


def split(line: str, options: Csv) -> list[str] | None:
    """The fields of a line; None where a quote is left open or the line ends within an escape."""
    made, ended = patterns(options), line + options.delimiter
    if not re.search(made["record"], ended):
        return None
    return [_unescaped(field[:-1], options, made) for field in re.findall(made["field"], ended)]


def escaped(text: str, options: Csv) -> str:
    """The text as a field."""
    special = "\\" + options.delimiter + ("" if options.quote == "none" else '"')
    return re.sub(f"[{re.escape(special)}]", r"\\\g<0>", text)


def _unescaped(field: str, options: Csv, made: Mapping[str, str]) -> str:
    if options.quote != "none" and field.startswith('"'):
        return re.sub(made["quoted"], lambda found: found[1] or found[2], field[1:-1])
    return re.sub(made["bare"], r"\1", field)
