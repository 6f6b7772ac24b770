"""Names of studies: those that are given, and those that are made of a pool's name."""

import pytest

from alray.errors import SpecError
from alray.settings.base import validate
from alray.settings.names import LONGEST, check_study_name, study_name
from alray.settings.run import LONGEST_ID
from alray.settings.sweep import SweepSpec
from tests.helpers.builders import make_pool, one_run


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("posts_v1.2", "posts_v1.2"),
        ("ends_", "ends_"),
        ("my pool (1)", "my-pool-1"),
        ("-x", "x"),
        ("_x", "x"),
        ("100%:#a", "100-a"),
        ("Café Zürich", "Cafe-Zurich"),
        ("数据", "pool"),
        ("..", "pool"),
        ("", "pool"),
        ("a/b\n\x1b[1m", "a-b-1m"),
        ("x" * 300, "x" * LONGEST),
    ],
)
def test_a_name_that_is_made_of_a_text_is_valid_and_near_to_it(text, name):
    assert study_name(text) == name
    assert check_study_name(name) == name
    assert len(study_name(text, "-correlation").encode()) <= LONGEST
    assert study_name(text, "-correlation").endswith("-correlation")


@pytest.mark.parametrize("name", ["", ".", "..", "-x", "a b", "a/b", "é", "a\n", "x" * 256])
def test_a_name_that_is_given_is_checked_with_the_settings(name):
    with pytest.raises(SpecError, match=r"at most 255 characters; '.+' would do"):
        validate(SweepSpec, {"name": name}, "study.yaml")


def test_the_files_of_a_run_with_a_long_strategy_have_names_that_a_disk_takes():
    """The hash at the end, which has the whole strategy, stays."""
    run = one_run(make_pool())
    long = run.model_copy(update={"strategy": "module:Strategy:" + "option=1:" * 40})
    assert len(long.run_id) == LONGEST_ID
    assert len(f".{long.run_id}.safetensors.tmp") == LONGEST
    assert long.run_id[-30:] != run.run_id[-30:]
    assert "__seed-0__" in long.run_id
