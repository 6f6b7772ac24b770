"""Whether and where a job is tried again, and how its failure is told."""

import pytest

from alray.studies.retries import NOWHERE, Mishap, Mishaps

ONE, TWO, THREE = (frozenset(names) for names in (["a"], ["a", "b"], ["a", "b", "c"]))


def error(host: str) -> Mishap:
    return Mishap(host, "ValueError: no", "Traceback ...\n", died=False)


def crowded(host: str) -> Mishap:
    return Mishap(host, "out of memory", crowded=True)


def test_a_lost_job_is_tried_again_so_many_times_wherever_it_was():
    mishaps = Mishaps(3)
    assert [mishaps.add("job", Mishap("a", "killed"), ONE) for _ in range(3)] == [
        True,
        True,
        False,
    ]
    assert mishaps.add("other", Mishap("a", "killed"), ONE)


def test_an_error_is_tried_again_on_other_hosts_only():
    assert not Mishaps(3).add("job", error("a"), ONE)
    mishaps = Mishaps(3)
    assert [mishaps.add("job", error(host), TWO) for host in "ab"] == [True, False]
    mishaps = Mishaps(2)
    assert [mishaps.add("job", error(host), THREE) for host in "ab"] == [True, False]


def test_a_host_is_avoided_as_long_as_there_is_another():
    mishaps = Mishaps(9)
    mishaps.add("job", Mishap("a", "killed"), THREE)
    assert mishaps.avoided("job", THREE) == {"a"}
    assert mishaps.avoided("job", ONE) == NOWHERE
    assert mishaps.avoided("other", THREE) == NOWHERE
    mishaps.add("job", Mishap("b", "killed"), THREE)
    assert mishaps.avoided("job", TWO) == NOWHERE
    assert mishaps.avoided("job", THREE) == {"a", "b"}


def test_a_host_that_is_not_known_is_not_avoided():
    mishaps = Mishaps(9)
    mishaps.add("job", Mishap("", "killed"), TWO)
    assert mishaps.avoided("job", TWO) == NOWHERE


def test_the_first_end_for_want_of_memory_is_not_held_against_job_or_host():
    mishaps = Mishaps(2)
    assert mishaps.add("job", crowded("a"), TWO)
    assert mishaps.avoided("job", TWO) == NOWHERE
    assert mishaps.add("job", crowded("a"), TWO)
    assert mishaps.avoided("job", TWO) == {"a"}
    assert not mishaps.add("job", crowded("b"), TWO)


@pytest.mark.parametrize(
    ("happened", "line"),
    [
        ([error("a")], "ValueError: no"),
        ([Mishap("a", "killed")], "its worker died once (a): killed"),
        ([Mishap("", "killed")] * 2, "its worker died 2 times: killed"),
        ([Mishap("a", "slept"), Mishap("b", "killed")], "its worker died 2 times (a, b): killed"),
        ([Mishap("a", "killed"), error("b")], "it failed 2 times (a, b): ValueError: no"),
    ],
)
def test_a_failure_says_how_often_where_and_why_last(happened, line):
    mishaps = Mishaps(1)
    for mishap in happened:
        mishaps.add("job", mishap, TWO)
    assert mishaps.error("job")[0] == line


def test_the_full_story_has_each_place_and_reason():
    mishaps = Mishaps(3)
    for mishap in (Mishap("a", "killed"), error("b"), Mishap("", "gone")):
        mishaps.add("job", mishap, THREE)
    assert mishaps.error("job")[1].splitlines() == [
        "1. on a, its worker died: killed",
        "2. on b, an error: ValueError: no",
        "Traceback ...",
        "3. its worker died: gone",
    ]


def test_a_single_error_keeps_its_traceback_as_it_is():
    mishaps = Mishaps(1)
    mishaps.add("job", error("a"), ONE)
    assert mishaps.error("job") == ("ValueError: no", "Traceback ...\n")
