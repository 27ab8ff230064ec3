"""Every way to name a file fits that file, and no other."""

from __future__ import annotations

import pytest

from dropmerge.operations.file_name import FileName
from services.shared.generation import ObjectGeneration
from services.shared.load import Load

_HALF = ObjectGeneration("landing", "incoming/accounts/half.csv", 7)
_ODD = ObjectGeneration("landing", "incoming/accounts/Mü [1] #9.csv", 8)
_LOAD = Load("accounts", _HALF).load_id


@pytest.mark.parametrize(
    "text",
    [
        "gs://landing/incoming/accounts/half.csv",
        "gs://landing/incoming/accounts/half.csv#7",
        "gs://landing/incoming/*/half.csv",
        "incoming/accounts/half.csv",
        "accounts/half.csv#7",
        "half.csv",
        "half.csv#7",
        "ha*.csv",
        "incoming/*",
        "h?lf.[ct]sv",
        _LOAD,
        f"accounts/{_LOAD}.csv",
        f"gs://archive/accounts/{_LOAD}.csv.gz",
        "15",
    ],
)
def test_a_name_fits_its_file_and_no_other(text: str) -> None:
    name = FileName.parse(text)
    assert name.fits(_HALF, _LOAD, "15")
    others = [
        (ObjectGeneration("landing", "incoming/orders/whole.txt", 7), "0" * 20, "16"),
        *([(ObjectGeneration("landing", _HALF.name, 9), "1" * 20, "17")] if text.endswith("#7") else []),
    ]
    assert not any(name.fits(*other) for other in others if not text.endswith("/*"))


@pytest.mark.parametrize("text", ["Mü [1] #9.csv", "Mü [1] #9.csv#8", "gs://landing/incoming/accounts/Mü [1] #9.csv"])
def test_a_name_with_signs_of_globs_and_generations_is_itself(text: str) -> None:
    assert FileName.parse(text).fits(_ODD)


@pytest.mark.parametrize(
    "text", ["alf.csv", "incoming/accounts", "other/half.csv", "half.csv#8", "gs://other/half.csv", "7"]
)
def test_what_is_not_a_files_name_does_not_fit(text: str) -> None:
    assert not FileName.parse(text).fits(_HALF, _LOAD, "15")


def test_an_end_in_the_middle_of_a_word_is_known_as_one() -> None:
    assert FileName.parse("alf.csv").ends(_HALF.name)
    assert not FileName.parse("alf.cs").ends(_HALF.name)


_NO_BUCKETS = [f"gs://{name}/x.csv" for name in ("-", "ab", "a..b", "Landing", "landing_", "l anding", "a" * 223)]


@pytest.mark.parametrize("text", ["", "s3://landing/x.csv", "gs://", "gs://landing", "gs://landing/", *_NO_BUCKETS])
def test_what_names_no_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not gs://bucket/name|names no file|no bucket is called"):
        FileName.parse(text)
