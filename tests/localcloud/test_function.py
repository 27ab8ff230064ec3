"""A function finds the packages here that it finds on Google Cloud."""

import re

import psutil
import pytest

from deploy.topology import ROOT, SERVICES
from localcloud.cloud import LocalCloud
from localcloud.function import ABSENT


@pytest.mark.parametrize("service", SERVICES)
def test_no_package_of_a_service_is_hidden_from_it(service: str) -> None:
    """What its requirements pin is not among what is said to be absent."""
    text = (ROOT / "services" / service / "requirements.txt").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([a-z0-9-]+)[^=\n]*==", text, re.MULTILINE))
    assert "google-cloud-bigquery" in pinned
    assert pinned.isdisjoint(re.sub("[._]", "-", name) for name in ABSENT)


@pytest.mark.parametrize("service", SERVICES)
def test_a_function_has_loaded_no_package_that_is_absent_there(local_cloud: LocalCloud, service: str) -> None:
    """Its process has none of their libraries in memory, but has Google's."""
    function = psutil.Process(int(local_cloud.read()[f"DROPMERGE_{service.upper()}_PID"]))
    loaded = [one.path for process in (function, *function.children()) for one in process.memory_maps()]
    assert [path for path in loaded if "/google_crc32c/" in path or "/grpc/" in path]
    assert not [path for path in loaded if re.search("/(numpy|pandas|pyarrow|fastavro)/", path)]
