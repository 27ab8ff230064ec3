"""The `dropmerge` command."""

from services.console.commands import app


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
