"""Moments and durations, as every screen and page writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(at: datetime) -> str:
    """2026-11-26 18:54:46 UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def recent_moment(at: datetime) -> str:
    """18:54:46 UTC; with the day where it is not today."""
    is_today = at.astimezone(UTC).date() == datetime.now(UTC).date()
    return f"{at.astimezone(UTC):%H:%M:%S} UTC" if is_today else moment(at)


def clock(at: datetime) -> str:
    """18:54:46.2, on a screen that names day and zone."""
    at = at.astimezone(UTC)
    return f"{at:%H:%M:%S}.{at.microsecond // 100_000}"


def duration(seconds: float) -> str:
    """0.6 s, 42 s, 12 min, 2 h 5 min, 3 d 4 h."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole < 600 and whole % 60 else "")
    if whole < 86400:
        return f"{whole // 3600} h" + (f" {whole % 3600 // 60} min" if whole % 3600 >= 60 else "")
    return f"{whole // 86400} d" + (f" {whole % 86400 // 3600} h" if whole % 86400 >= 3600 else "")


def ago(at: datetime) -> str:
    """12 min ago."""
    return f"{duration((datetime.now(UTC) - at).total_seconds())} ago"
