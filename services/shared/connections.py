"""Connections to Google's APIs that threads do not take from each other."""

from __future__ import annotations

from typing import Any

from requests.adapters import HTTPAdapter


def keep_connections(client: Any, most: int) -> None:
    """Let a client of BigQuery or Cloud Storage keep as many connections open as there are threads.

    Of its own it keeps ten: each call above them opens one, with a handshake, and closes it again, with a warning
    (https://requests.readthedocs.io/en/latest/api/#requests.adapters.HTTPAdapter).
    """
    session = client._http  # neither client has a setting for it
    if not getattr(session, "is_mtls", False):  # its own adapter has the certificate
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=most))
