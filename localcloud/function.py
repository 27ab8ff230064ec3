"""`python -m localcloud.function …`: functions-framework, without packages that a function has not on Google Cloud.

Google's clients and structlog import them where they find them, as in an environment for development: 50 MB of memory
and a seventh of a function's start.
"""

import runpy
import sys

ABSENT = (
    "fastavro",
    "google.cloud.bigquery_storage",
    "google.cloud.bigquery_storage_v1",
    "numpy",
    "pandas",
    "pyarrow",
    "rich",
)


def main() -> None:
    """Runs until a signal."""
    for name in ABSENT:
        # To import it then fails (https://docs.python.org/3/reference/import.html#the-module-cache).
        sys.modules[name] = None  # type: ignore[assignment]
    runpy.run_module("functions_framework", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
