"""Tokens: files that others read, and clusters that ask for none; no Ray is started."""

import subprocess

import pytest

from alray.errors import ClusterError
from alray.ray_executor import security


@pytest.fixture
def token(tmp_path, monkeypatch):
    path = tmp_path / "token"
    path.write_text("secret")
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(path))
    return path


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_token_that_others_read_is_warned_about_and_not_told(token, mode):
    token.chmod(mode)
    text = security.token_warning()
    assert text == f"others may read the token in {token} (mode {mode:04o}): chmod 600 {token}"
    assert "secret" not in text


def test_a_token_of_its_owner_alone_is_fine(token):
    token.chmod(0o600)
    assert security.token_warning() is None


def test_a_token_that_is_in_no_file_has_no_mode(token, monkeypatch):
    token.chmod(0o644)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    assert security.token_warning() is None


def test_a_file_that_is_not_there_is_not_warned_about(token):
    token.unlink()
    assert security.token_warning() is None


def answering(monkeypatch, code):
    calls = []

    def run(command, *, env, **_):
        calls.append((command, env))
        if code is None:
            raise subprocess.TimeoutExpired(command, 1)
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr("subprocess.run", run)
    return calls


def test_a_cluster_that_answers_without_a_token_is_refused(monkeypatch):
    answering(monkeypatch, security.OPEN)
    with pytest.raises(
        ClusterError, match=r"at head:1 asks for no token: .*RAY_AUTH_MODE=token.*--insecure"
    ):
        security.require_token("head:1")


def test_a_cluster_that_wants_a_token_is_fine_and_is_asked_without_it(monkeypatch, token):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    calls = answering(monkeypatch, security.LOCKED)
    security.require_token("head:1")
    ((command, environment),) = calls
    assert command[-1] == "head:1"
    assert environment["RAY_AUTH_MODE"] == "disabled"
    assert "secret" not in environment.values()
    assert "RAY_AUTH_TOKEN_PATH" not in environment


@pytest.mark.parametrize("code", [1, -6, None])
def test_what_cannot_be_found_out_is_not_taken_for_safe(monkeypatch, code):
    answering(monkeypatch, code)
    with pytest.raises(ClusterError, match="cannot find out whether the Ray cluster at head:1"):
        security.require_token("head:1")
