"""The command beside a page is typed as it is shown."""

import shlex
import subprocess

import pytest

from dropmerge.page.command_line import command_line


def test_options_without_a_value_are_left_out() -> None:
    found = command_line("history", since="24h", feed="", in_state=None, ended=False, all=True)
    assert found == "dropmerge history --since 24h --all"


@pytest.mark.parametrize("name", ['it\'s $HOME `x` \\ "a".csv', "; rm -rf x", "größe 😀", "-x", "", "a\\'b"])
def test_a_name_that_can_be_seen_is_quoted_for_any_shell(name: str) -> None:
    assert shlex.split(command_line("explain", name)) == ["dropmerge", "explain", name]


@pytest.mark.parametrize(
    "name", ["\N{RIGHT-TO-LEFT OVERRIDE}vsc'.\\exe", "a\tb\x071\x1b[31m\x7f", "\N{ZERO WIDTH SPACE}1\n"]
)
def test_what_cannot_be_seen_is_an_escape_that_the_shell_reads(name: str) -> None:
    found = command_line("explain", name)
    assert found.isprintable()
    argument = found.removeprefix("dropmerge explain ")
    done = subprocess.run(
        ["bash", "-c", f"printf %s {argument}"], env={"LC_ALL": "C.UTF-8"}, capture_output=True, check=True
    )
    assert done.stdout.decode() == name
