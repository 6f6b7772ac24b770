from pathlib import Path

import pytest

from alray.cli.report import _open  # the command itself would need a finished study
from alray.errors import SpecError
from alray.settings.location import Location, location_of
from alray.settings.secrets import without_secrets

KEYS = "s3://AKIAKEY:pass%2Fword@bucket/results?endpoint_override=host%3A9000&region=x"


def test_a_location_is_used_like_a_path():
    study = location_of("s3://bucket/results") / "study"
    assert isinstance(study, Location)
    assert str(study) == "s3://bucket/results/study"
    assert (study.name, str(study.parent)) == ("study", "s3://bucket/results")
    assert location_of(study) is study
    assert study == location_of("s3://bucket/results/study/")
    bucket = location_of("s3://bucket")
    assert bucket.parent == bucket


def test_keys_are_kept_and_never_shown():
    study = location_of(KEYS) / "study"
    assert isinstance(study, Location)
    assert study.uri == KEYS.replace("results?", "results/study?")
    for text in (str(study), repr(study), f"{study.parent}"):
        assert "results" in text
        assert not any(word in text for word in ("AKIAKEY", "word", "9000"))
    assert {"pass/word", "pass%2Fword", "AKIAKEY", "host:9000"} <= set(study.secrets)


def test_a_slash_in_a_key_is_refused_without_showing_it():
    with pytest.raises(SpecError, match="%2F") as caught:
        location_of("s3://AKIAKEY:pass/word@bucket/results")
    assert "word@" not in str(caught.value)
    assert "pass" not in str(caught.value).replace("password", "")


def test_a_container_of_azure_is_no_secret():
    assert str(location_of("abfs://pool:hush@account.dfs.core.windows.net/a")) == (
        "abfs://pool@account.dfs.core.windows.net/a"
    )


@pytest.mark.parametrize("uri", ["file:///tmp/a%20b", "file://localhost/tmp/a%20b"])
def test_a_file_uri_is_a_local_path(uri):
    assert location_of(uri) == Path("/tmp/a b")


def test_other_texts_are_local_paths():
    assert location_of("results/a@b?c") == Path("results/a@b?c")
    assert location_of(Path("results")) == Path("results")


@pytest.mark.parametrize("uri", ["s3://", "s3:///", "file://host/tmp"])
def test_an_address_without_a_bucket_or_folder_is_refused(uri):
    with pytest.raises(SpecError):
        location_of(uri)


def test_a_page_in_a_store_is_not_opened(capsys):
    _open(Location("s3", "bucket/study/report.html"))
    assert "download s3://bucket/study/report.html" in capsys.readouterr().err


def test_a_command_loses_the_secrets_of_its_uris():
    command = f"alray sweep --results {KEYS} --pool posts.parquet --name a?b"
    assert without_secrets(command) == (
        "alray sweep --results s3://bucket/results --pool posts.parquet --name a?b"
    )
    assert without_secrets("see sftp://me:hush@host/a and x") == "see sftp://host/a and x"
