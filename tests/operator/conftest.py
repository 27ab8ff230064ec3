"""One local cloud for all commands, and the commands as a person types them."""

from collections.abc import Iterator

import pytest

from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.feeds import AGAIN, NUMBERS, REJECTS, STORY, write_feeds
from tests.harness.pipeline import Pipeline


@pytest.fixture(scope="package")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("operator")
    feeds = write_feeds(folder / "feeds")
    (feeds / "numbers.yaml").write_text(NUMBERS)
    (feeds / "reloaded.yaml").write_text(NUMBERS.replace("numbers", "reloaded"))
    (feeds / "again.yaml").write_text(AGAIN)
    (feeds / "rejects.yaml").write_text(REJECTS)
    newest = NUMBERS.replace("numbers", "newest").replace("version: v", "version: _generation")
    (feeds / "newest.yaml").write_text(newest)
    (feeds / "whole.yaml").write_text(NUMBERS.replace("numbers", "whole").replace("version: v", "mode: snapshot"))
    accounts = (feeds / "accounts.yaml").read_text().replace("feed: accounts", "feed: story")
    story = accounts.replace("/accounts/", "/story/").replace("main.accounts", "main.story")
    incident = story.replace("story", "incident")
    for name, text in {**STORY, "story": story, "incident": incident}.items():
        (feeds / f"{name}.yaml").write_text(text)
    with running(folder, feeds) as pipeline:
        yield pipeline


@pytest.fixture(scope="package")
def commands(pipeline: Pipeline) -> Commands:
    return Commands.of(pipeline)
