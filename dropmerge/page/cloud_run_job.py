"""Starts a Cloud Run job: what takes longer than a request may goes on when nobody looks.

`POST /v2/{job}:run` (https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs/run) takes the
permission `run.jobs.run`, and `run.jobs.runWithOverrides` where arguments are given. Of the predefined roles
`roles/run.jobsExecutorWithOverrides` has both, and no more beside than to cancel an execution
(https://cloud.google.com/iam/docs/roles-permissions/run); `roles/run.developer`, which Google's guide names, could
replace the job too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from dropmerge.operations.errors import NotDone

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_TIMEOUT_SECONDS = 30.0
_MOST_QUOTED = 300


def start(job: str, arguments: Sequence[str], base_url: str = "https://run.googleapis.com") -> None:
    """Start one execution of `job`, `projects/P/locations/R/jobs/NAME`, with these arguments in place of its own.

    Returns once Google has taken it; nothing is awaited. It is not tried again: a second execution would do the same a
    second time. Raises NotDone.
    """
    import google.auth
    import requests
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import AuthorizedSession

    body = {"overrides": {"containerOverrides": [{"args": list(arguments)}]}}
    try:
        credentials, _ = google.auth.default(scopes=_SCOPES)
        session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
        answer = session.post(f"{base_url}/v2/{job}:run", json=body, timeout=_TIMEOUT_SECONDS)
    except GoogleAuthError as error:
        raise NotDone(f"the job {job} was not started: {error}") from error
    except requests.RequestException as error:
        raise NotDone(_doubtful(job, str(error))) from error
    if answer.status_code >= 500:
        raise NotDone(_doubtful(job, _why(answer.status_code, answer.text)))
    if not answer.ok:
        why = _why(answer.status_code, answer.text)
        raise NotDone(f"the job {job} was not started: {why}{_REMEDIES.get(answer.status_code, '')}")


_REMEDIES = {
    403: "; this identity needs roles/run.jobsExecutorWithOverrides on it, which `make deploy-console` grants",
    404: "; `make deploy-console` makes it",
}


def _doubtful(job: str, why: str) -> str:
    return f"the job {job} may not have been started ({why}): look at its executions before you try again"


def _why(status: int, text: str) -> str:
    """Google's own words, with the status."""
    try:
        words = json.loads(text)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        words = text
    return f"{status} {str(words)[:_MOST_QUOTED]}".strip()
