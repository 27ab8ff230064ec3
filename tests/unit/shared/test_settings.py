"""A service does not start with a variable that is missing or malformed, and its error names the variable."""

import pytest

from services.shared.settings import SettingsError, read_settings


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GOOGLE_CLOUD_PROJECT", None, "GOOGLE_CLOUD_PROJECT"),
        ("DROPMERGE_SERVICE", "both", "DROPMERGE_SERVICE"),
        ("DROPMERGE_FEEDS", None, "DROPMERGE_FEEDS"),
        ("DROPMERGE_BUDGET_SECONDS", "soon", "DROPMERGE_BUDGET_SECONDS"),
        ("DROPMERGE_IGNORE", "_SUCCESS", "DROPMERGE_IGNORE"),
        ("DROPMERGE_PATIENCE_SECONDS", "-1", "DROPMERGE_PATIENCE_SECONDS"),
        ("THREADS", "0", "THREADS"),
        ("DROPMERGE_RESERVATION", "slots", "DROPMERGE_RESERVATION"),
    ],
)
def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str | None, words: str) -> None:
    """A missing or malformed variable fails at start and not in the middle of a load."""
    for good, text in {
        "GOOGLE_CLOUD_PROJECT": "p",
        "DROPMERGE_SERVICE": "ingest",
        "DROPMERGE_FEEDS": "feeds",
        "DROPMERGE_DEAD_LETTER_TOPIC": "t",
    }.items():
        monkeypatch.setenv(good, text)
    assert read_settings().service == "ingest"
    monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=words):
        read_settings()
