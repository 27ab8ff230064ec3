"""The release that runs."""

VERSION = "0.1.0"
"""As pyproject.toml has it, which the functions are deployed without."""
