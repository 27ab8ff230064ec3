"""The `dropmerge` command: a list of commands, each a function in a module of its own."""

import typer

from services.console import local_cloud

COMMANDS = [local_cloud.up, local_cloud.down, local_cloud.env]

app = typer.Typer(name="dropmerge", no_args_is_help=True, add_completion=False)
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
