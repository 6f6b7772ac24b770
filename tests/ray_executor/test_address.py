"""Which cluster is joined, and the message about it."""

import pytest

from alray.ray_executor.address import cluster_address, starting_message
from alray.settings.common import ExecutionSpec

HERE, THERE = "10.0.0.1:6379", "10.0.0.2:6379"


@pytest.mark.parametrize(
    ("environment", "given", "address", "words"),
    [
        (HERE, None, HERE, f"joining the Ray cluster at {HERE}, as RAY_ADDRESS says"),
        (HERE, THERE, THERE, f"joining the Ray cluster at {THERE}"),
        ("http://10.0.0.1:8265", None, None, "starting Ray"),
        ("local", None, None, "starting Ray"),
        ("", None, None, "starting Ray"),
    ],
)
def test_an_address_that_is_given_counts_before_the_environments(
    monkeypatch, environment, given, address, words
):
    monkeypatch.setenv("RAY_ADDRESS", environment)
    execution = ExecutionSpec(address=given)
    assert cluster_address(execution) == address
    assert starting_message(execution) == words
