"""Whether and where a job is tried again, and how its failure is described."""

import pytest

from alray.studies.events import Failure
from alray.studies.retries import NOWHERE, Retries

ONE, TWO, THREE = (frozenset(names) for names in (["a"], ["a", "b"], ["a", "b", "c"]))


def error(host: str) -> Failure:
    return Failure("job", "ValueError: no", host, "Traceback ...\n", died=False)


def out_of_memory(host: str) -> Failure:
    return Failure("job", "out of memory", host, out_of_memory=True)


def test_a_lost_job_is_tried_again_so_many_times_wherever_it_was():
    retries = Retries(3)
    killed = Failure("job", "killed", "a")
    assert [retries.add(killed, ONE) for _ in range(3)] == [True, True, False]
    assert retries.add(Failure("other", "killed", "a"), ONE)


def test_an_error_is_tried_again_on_other_hosts_only():
    alone = Retries(3)
    assert not alone.add(error("a"), ONE)
    assert alone.error("job") == ("ValueError: no", "Traceback ...\n")
    for attempts, hosts in ((3, TWO), (2, THREE)):
        retries = Retries(attempts)
        assert [retries.add(error(host), hosts) for host in "ab"] == [True, False]


def test_a_host_is_avoided_as_long_as_there_is_another():
    retries = Retries(9)
    retries.add(Failure("job", "killed", "a"), THREE)
    assert retries.avoided("job", THREE) == {"a"}
    assert retries.avoided("job", ONE) == NOWHERE
    assert retries.avoided("other", THREE) == NOWHERE
    retries.add(Failure("job", "killed", ""), THREE)  # a host that is not known is none to avoid
    retries.add(Failure("job", "killed", "b"), THREE)
    assert retries.avoided("job", TWO) == NOWHERE
    assert retries.avoided("job", THREE) == {"a", "b"}


def test_the_first_end_for_want_of_memory_is_not_held_against_job_or_host():
    retries = Retries(2)
    assert retries.add(out_of_memory("a"), TWO)
    assert retries.avoided("job", TWO) == NOWHERE
    assert retries.add(out_of_memory("a"), TWO)
    assert retries.avoided("job", TWO) == {"a"}
    assert not retries.add(out_of_memory("b"), TWO)


@pytest.mark.parametrize(
    ("happened", "line"),
    [
        ([Failure("job", "killed", "a")], "its worker died once (a): killed"),
        ([Failure("job", "killed", "")] * 2, "its worker died 2 times: killed"),
        (
            [Failure("job", "slept", "a"), Failure("job", "killed", "b")],
            "its worker died 2 times (a, b): killed",
        ),
        ([Failure("job", "killed", "a"), error("b")], "it failed 2 times (a, b): ValueError: no"),
    ],
)
def test_a_failure_says_how_often_where_and_why_last(happened, line):
    retries = Retries(1)
    for failure in happened:
        retries.add(failure, TWO)
    assert retries.error("job")[0] == line


def test_the_full_text_has_each_host_and_reason():
    retries = Retries(3)
    for failure in (Failure("job", "killed", "a"), error("b"), Failure("job", "gone", "")):
        retries.add(failure, THREE)
    assert retries.error("job")[1].splitlines() == [
        "1. on a, its worker died: killed",
        "2. on b, an error: ValueError: no",
        "Traceback ...",
        "3. its worker died: gone",
    ]
