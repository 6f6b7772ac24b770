"""Tokens: files that others read, and clusters that ask for none; no Ray is started."""

import subprocess
from types import SimpleNamespace

import pytest

from alray.errors import ClusterError
from alray.ray_executor import security


@pytest.fixture
def token(tmp_path, monkeypatch):
    path = tmp_path / "token"
    path.write_text("secret")
    path.chmod(0o644)
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(path))
    return path


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_token_that_others_read_is_warned_about_and_not_printed(token, mode):
    token.chmod(mode)
    text = security.token_warning()
    assert text == f"others may read the token in {token} (mode {mode:04o}): chmod 600 {token}"
    assert "secret" not in text


def test_a_token_that_others_cannot_read_is_not_warned_about(token, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")  # then it is in no file
    assert security.token_warning() is None
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    token.chmod(0o600)
    assert security.token_warning() is None
    token.unlink()
    assert security.token_warning() is None


@pytest.fixture
def head(monkeypatch):
    """Return a cluster's head: `calls` lists how it was asked, `code` is the answer, None for none in time."""
    made = SimpleNamespace(calls=[], code=None)

    def run(command, *, env, **_):
        made.calls.append((command, env))
        if made.code is None:
            raise subprocess.TimeoutExpired(command, 1)
        return subprocess.CompletedProcess(command, made.code)

    monkeypatch.setattr(subprocess, "run", run)
    return made


def test_a_cluster_that_wants_a_token_is_fine_and_is_asked_without_it(monkeypatch, token, head):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    head.code = security.LOCKED
    security.require_token("head:1")
    ((command, environment),) = head.calls
    assert command[-1] == "head:1"
    assert environment["RAY_AUTH_MODE"] == "disabled"
    assert "secret" not in environment.values()
    assert "RAY_AUTH_TOKEN_PATH" not in environment


UNKNOWN = "cannot find out whether the Ray cluster at head:1"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (security.OPEN, "at head:1 asks for no token: .*RAY_AUTH_MODE=token.*--insecure"),
        (1, UNKNOWN),
        (-6, UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_a_cluster_that_is_open_or_may_be_is_refused(head, code, message):
    head.code = code
    with pytest.raises(ClusterError, match=message):
        security.require_token("head:1")
