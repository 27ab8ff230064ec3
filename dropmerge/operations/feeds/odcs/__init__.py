"""Contracts to and from the Open Data Contract Standard, version 3.1 (https://bitol-io.github.io/open-data-contract-standard).

What both can say is said in the standard's own words. What it has no word for travels in custom properties called
`dropmerge`, as a contract has it, so that nothing is lost on the way there and back.
"""

from __future__ import annotations

from collections.abc import Mapping

API_VERSION = "v3.1.0"
CUSTOM = "dropmerge"
"""Name of the custom property with the options that the standard has no word for."""
LOGICAL_TYPES: Mapping[str, str] = {
    **{"BOOL": "boolean", "INT64": "integer", "NUMERIC": "number", "BIGNUMERIC": "number", "FLOAT64": "number"},
    **{"DATE": "date", "TIME": "time", "DATETIME": "timestamp", "TIMESTAMP": "timestamp"},
    **{"STRING": "string", "BYTES": "string", "GEOGRAPHY": "string", "JSON": "object"},
}
"""By type of a column (https://bitol-io.github.io/open-data-contract-standard/v3.1.0/schema)."""
OPTIONS: Mapping[str, str] = {"zone": "defaultTimezone"}
"""A column's options that are logical type options of the standard."""
COUNT_FAILED = "SELECT COUNT(*) FROM {object} WHERE NOT ("
"""How a rule's query begins that counts the rows for which a check is false; the check and `)` follow."""
