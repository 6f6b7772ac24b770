"""Tasks to a server and answers from it: what it sends goes once, and what can go wrong is said, without the token.

The server is that of `tests/helpers/label_studio.py`; `test_real_label_studio.py` has the real one.
"""

import time

import pandas as pd
import pytest

from alray.errors import AlrayError
from alray.exchange import label_studio
from alray.exchange.label_studio import TOKEN, Pushed, pull, push
from tests.helpers.label_studio import SECRET, Handler, running, server

__all__ = ["running", "server"]

TASKS = pd.DataFrame({"id": ["007", "7", "8"], "text": ["x", "y", "z"], "priority": [1.0, 2, 3]})
CLASSES = ["cat", "dog"]


def url(server):
    return server.url


def test_tasks_go_once_and_answers_come_back(server, monkeypatch):
    monkeypatch.setattr(label_studio, "PAGE", 2)
    monkeypatch.setattr(label_studio, "BATCH", 2)
    assert push(url(server), None, TASKS, CLASSES, title="a") == Pushed(1, 3, 0)
    assert server.asked["POST /api/projects/1/import"] == 2
    assert push(url(server), 1, TASKS, CLASSES) == Pushed(1, 0, 3)
    assert server.asked["GET /api/tasks/"] == 2
    more = pd.DataFrame({"id": ["8", "9"], "text": ["z", "new"]})
    assert push(url(server), 1, more, CLASSES) == Pushed(1, 1, 1)
    (project,) = server.projects
    assert project["title"] == "alray a"
    assert [each["data"]["alray_id"] for each in project["tasks"]] == ["8", "7", "007", "9"]
    found, _ = pull(url(server), 1)
    assert found.empty
    value = {"from_name": "alray_class", "type": "choices", "value": {"choices": ["dog"]}}
    project["tasks"][2]["annotations"] = [{"id": 1, "completed_by": 2, "result": [value]}]
    found, notes = pull(f"{url(server)}/", 1)
    assert found[["task", "worker", "label"]].values.tolist() == [["007", "2", "dog"]]
    assert [(note.kind, note.count) for note in notes] == [("unanswered", 3)]


def test_a_project_of_ones_own_is_asked_in_its_words(server):
    config = (
        '<View><Text name="t" value="$text"/>'
        '<Choices name="kind" toName="t"><Choice value="cat"/></Choices></View>'
    )
    server.projects.append({"id": 1, "label_config": config, "tasks": []})
    push(url(server), 1, TASKS.assign(predicted="cat"), ["cat"])
    (result,) = server.projects[0]["tasks"][0]["predictions"][0]["result"]
    assert (result["from_name"], result["to_name"]) == ("kind", "t")
    with pytest.raises(AlrayError, match=r"project 1 of .* does not offer dog to choose; add"):
        push(url(server), 1, TASKS, CLASSES)
    with pytest.raises(
        AlrayError, match=r"project 1 of .* shows text, and the tasks have alray_id"
    ):
        push(url(server), 1, TASKS.rename(columns={"text": "body"}), ["cat"])
    server.projects[0]["label_config"] = config.replace("Choices", "Labels")
    with pytest.raises(
        AlrayError, match=r"project 1 of .* asks for no class; give it one <Choices>"
    ):
        push(url(server), 1, TASKS, ["cat"])


def test_a_personal_token_is_changed_for_a_short_lived_one_and_again_when_that_ends(
    server, monkeypatch
):
    monkeypatch.setenv(TOKEN, "head.body.signature")
    push(url(server), None, TASKS, CLASSES)
    assert server.asked["POST /api/token/refresh/"] == 1
    client = label_studio.connected(url(server))
    client.get("/api/projects/", ids=1)
    server.access = "another"
    assert client.get("/api/projects/", ids=1)["results"]
    assert server.asked["POST /api/token/refresh/"] == 3


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        ((401, {"detail": SECRET}), "refuses the token in LABEL_STUDIO_API_KEY .401.; copy it"),
        (
            (500, {"detail": f"with {SECRET}"}),
            r"/api/projects/ answered 500 .with \.\.\..; see the",
        ),
        ((404, b"<html>"), r"/api/projects/ answered 404 \(Not Found\); check the address"),
        ((200, b"<html>"), r"/api/projects/ answered with something that is no JSON; is it Label"),
        (
            (302, b"", [("Location", "http://elsewhere.example.org/")]),
            "sends to http://elsewhere.example.org/, where the token is not sent to; give that",
        ),
    ],
)
def test_refusals_are_said_without_the_token(server, failure, message):
    server.failure = failure
    for act in (lambda: pull(url(server), 1), lambda: push(url(server), None, TASKS, CLASSES)):
        with pytest.raises(AlrayError, match=message) as refused:
            act()
        assert SECRET not in str(refused.value)
        assert refused.value.exit_code == 2


def test_a_project_that_is_not_there_is_named(server):
    with pytest.raises(AlrayError, match="has no project 3 that this token may see"):
        pull(url(server), 3)
    assert server.asked["GET /api/projects/3/export"] == 0


def test_a_server_that_is_down_or_slow_is_said_to_be(server, monkeypatch):
    with pytest.raises(
        AlrayError, match=r"http://127.0.0.1:9 does not answer .*; start the server"
    ):
        pull("http://127.0.0.1:9", 1)
    monkeypatch.setattr(Handler, "_content", lambda *_: time.sleep(0.2))
    with pytest.raises(AlrayError, match=r"did not answer within 0\.05 seconds; run the same"):
        pull(url(server), 1, timeout=0.05)


def test_a_token_or_address_that_cannot_be_used_is_refused(server, monkeypatch):
    with pytest.raises(AlrayError, match=r"http://127.0.0.1:x does not answer .*'x'.*; start"):
        pull("http://127.0.0.1:x", 1)
    for wrong in ("localhost:8080", "ftp://host"):
        with pytest.raises(AlrayError, match="is no address of a server; write one such as"):
            pull(wrong, 1)
    with pytest.raises(
        AlrayError, match="the address of host holds a name or password"
    ) as refused:
        pull(f"http://me:{SECRET}@host", 1)
    assert SECRET not in str(refused.value)
    monkeypatch.setenv(TOKEN, "two words")
    with pytest.raises(AlrayError, match="holds characters that no token has; copy it again"):
        pull(url(server), 1)
    monkeypatch.delenv(TOKEN)
    with pytest.raises(AlrayError, match=f"{TOKEN} is not set; copy your token"):
        pull(url(server), 1)
    assert not server.asked
