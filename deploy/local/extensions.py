"""DuckDB extensions for the warehouse, from wheels: nothing is downloaded at run time."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path


def installed(name: str) -> bool:
    """Install the extension for this DuckDB unless done before; False when its wheel is missing."""
    if any(Path.home().glob(f".duckdb/extensions/v{version('duckdb')}/*/{name}.duckdb_extension")):
        return True
    if find_spec(f"duckdb_extension_{name}") is None:
        return False
    # Costly to import, and needed once a machine only.
    from duckdb_extensions import import_extension

    import_extension(name)
    return True
