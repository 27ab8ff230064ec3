"""One browser per module of tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.harness.browser import open_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed before the next module: that one may run event loops in this thread."""
    with open_browser() as browser:
        yield browser
