"""Which cluster is joined, and the message about it."""

import re

import pytest

from alray.errors import ClusterError
from alray.ray_executor.address import (
    cluster_address,
    require_answer,
    start_remedy,
    starting_message,
)
from alray.settings.common import ExecutionSpec

HERE, THERE = "10.0.0.1:6379", "10.0.0.2:6379"
DEAD = "127.0.0.1:1"


@pytest.mark.parametrize(
    ("environment", "given", "address", "words"),
    [
        (HERE, None, HERE, f"joining the Ray cluster at {HERE}, as RAY_ADDRESS says"),
        (HERE, THERE, THERE, f"joining the Ray cluster at {THERE}"),
        ("http://10.0.0.1:8265", None, None, "starting Ray"),
        ("local", None, None, "starting Ray"),
        ("", None, None, "starting Ray"),
        (HERE, "local", None, "starting Ray"),
    ],
)
def test_an_address_that_is_given_counts_before_the_environments(
    monkeypatch, environment, given, address, words
):
    monkeypatch.setenv("RAY_ADDRESS", environment)
    execution = ExecutionSpec(address=given)
    assert cluster_address(execution) == address
    assert starting_message(execution) == words


@pytest.mark.parametrize(
    ("environment", "remedy"), [(DEAD, "`unset RAY_ADDRESS`"), ("", "^no Ray .*; --address local")]
)
def test_where_nothing_answers_the_remedy_is_named(monkeypatch, environment, remedy):
    monkeypatch.setenv("RAY_ADDRESS", environment)
    with pytest.raises(ClusterError, match=remedy):
        require_answer(DEAD)


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (OSError("validate_socket_filename failed: AF_UNIX path length ..."), "set RAY_TMPDIR to"),
        (PermissionError(13, "Permission denied", "/home/me/.ray/auth_token"), "set HOME to"),
        (FileNotFoundError(2, "No such file or directory", "/home/me"), "set HOME to"),
        (PermissionError(13, "Permission denied", "/tmp/ray"), "^--executor inline needs no Ray$"),
        (ConnectionError("no answer"), "RAY_AUTH_TOKEN_PATH"),
    ],
)
def test_where_ray_does_not_start_the_remedy_is_named(monkeypatch, error, remedy):
    monkeypatch.setenv("HOME", "/home/me")
    assert re.search(remedy, start_remedy(error))
