"""Whether and where a job is tried again, and how its failure is told."""

import pytest

from alray.studies.retries import NOWHERE, Failure, Retries

ONE, TWO, THREE = (frozenset(names) for names in (["a"], ["a", "b"], ["a", "b", "c"]))


def error(host: str) -> Failure:
    return Failure(host, "ValueError: no", "Traceback ...\n", died=False)


def out_of_memory(host: str) -> Failure:
    return Failure(host, "out of memory", out_of_memory=True)


def test_a_lost_job_is_tried_again_so_many_times_wherever_it_was():
    retries = Retries(3)
    assert [retries.add("job", Failure("a", "killed"), ONE) for _ in range(3)] == [
        True,
        True,
        False,
    ]
    assert retries.add("other", Failure("a", "killed"), ONE)


def test_an_error_is_tried_again_on_other_hosts_only():
    assert not Retries(3).add("job", error("a"), ONE)
    retries = Retries(3)
    assert [retries.add("job", error(host), TWO) for host in "ab"] == [True, False]
    retries = Retries(2)
    assert [retries.add("job", error(host), THREE) for host in "ab"] == [True, False]


def test_a_host_is_avoided_as_long_as_there_is_another():
    retries = Retries(9)
    retries.add("job", Failure("a", "killed"), THREE)
    assert retries.avoided("job", THREE) == {"a"}
    assert retries.avoided("job", ONE) == NOWHERE
    assert retries.avoided("other", THREE) == NOWHERE
    retries.add("job", Failure("b", "killed"), THREE)
    assert retries.avoided("job", TWO) == NOWHERE
    assert retries.avoided("job", THREE) == {"a", "b"}


def test_a_host_that_is_not_known_is_not_avoided():
    retries = Retries(9)
    retries.add("job", Failure("", "killed"), TWO)
    assert retries.avoided("job", TWO) == NOWHERE


def test_the_first_end_for_want_of_memory_is_not_held_against_job_or_host():
    retries = Retries(2)
    assert retries.add("job", out_of_memory("a"), TWO)
    assert retries.avoided("job", TWO) == NOWHERE
    assert retries.add("job", out_of_memory("a"), TWO)
    assert retries.avoided("job", TWO) == {"a"}
    assert not retries.add("job", out_of_memory("b"), TWO)


@pytest.mark.parametrize(
    ("happened", "line"),
    [
        ([error("a")], "ValueError: no"),
        ([Failure("a", "killed")], "its worker died once (a): killed"),
        ([Failure("", "killed")] * 2, "its worker died 2 times: killed"),
        (
            [Failure("a", "slept"), Failure("b", "killed")],
            "its worker died 2 times (a, b): killed",
        ),
        ([Failure("a", "killed"), error("b")], "it failed 2 times (a, b): ValueError: no"),
    ],
)
def test_a_failure_says_how_often_where_and_why_last(happened, line):
    retries = Retries(1)
    for failure in happened:
        retries.add("job", failure, TWO)
    assert retries.error("job")[0] == line


def test_the_full_story_has_each_place_and_reason():
    retries = Retries(3)
    for failure in (Failure("a", "killed"), error("b"), Failure("", "gone")):
        retries.add("job", failure, THREE)
    assert retries.error("job")[1].splitlines() == [
        "1. on a, its worker died: killed",
        "2. on b, an error: ValueError: no",
        "Traceback ...",
        "3. its worker died: gone",
    ]


def test_a_single_error_keeps_its_traceback_as_it_is():
    retries = Retries(1)
    retries.add("job", error("a"), ONE)
    assert retries.error("job") == ("ValueError: no", "Traceback ...\n")
