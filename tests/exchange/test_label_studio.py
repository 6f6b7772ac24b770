"""Tasks to a server and answers from it: what it sends goes once, and what can go wrong is said, without the token.

The server is a small one of this test, with as much of Label Studio's interface as is used;
`test_real_label_studio.py` has the real one.
"""

import contextlib
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from typing_extensions import override

from alray.errors import AlrayError
from alray.exchange import label_studio
from alray.exchange.label_studio import TOKEN, Pushed, pull, push

SECRET = "0123456789abcdef-secret"
TASKS = pd.DataFrame({"id": ["007", "7", "8"], "text": ["x", "y", "z"], "priority": [1.0, 2, 3]})
CLASSES = ["cat", "dog"]


class Studio(ThreadingHTTPServer):
    """What the server has, what it was asked, and how it is to fail."""

    projects: list[dict[str, Any]]
    asked: Counter[str]
    failure: Any
    access: str | None


class Handler(BaseHTTPRequestHandler):
    """What a Label Studio server does with the requests of alray."""

    server: Studio

    @override
    def log_message(self, *_):
        pass

    def do_GET(self):
        self._answer(None)

    def do_POST(self):
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body):
        server = self.server
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        server.asked[f"{self.command} {address.path}"] += 1
        if server.failure is not None:
            return self._send(*server.failure)
        if address.path == "/api/token/refresh/":
            server.access = f"short-lived-{len(server.asked)}"
            return self._send(200, {"access": server.access})
        if self.headers["Authorization"] not in {f"Token {SECRET}", f"Bearer {server.access}"}:
            return self._send(401, {"detail": f"Invalid token {SECRET}."})
        return self._send(200, self._content(address.path, query, body))

    def _content(self, path, query, body):
        projects = self.server.projects
        if path == "/api/projects/" and body is None:
            return {"results": [each for each in projects if str(each["id"]) == query["ids"]]}
        if path == "/api/projects/":
            projects.append({"id": len(projects) + 1, "tasks": [], **body})
            return projects[-1]
        if path == "/api/tasks/":
            tasks = projects[int(query["project"]) - 1]["tasks"]
            size = int(query["page_size"])
            start = size * (int(query["page"]) - 1)
            return {"total": len(tasks), "tasks": tasks[start : start + size]}
        project = projects[int(path.split("/")[3]) - 1]
        if body is not None:
            project["tasks"] += [{"id": 5, "annotations": [], **each} for each in body]
            return {"task_count": len(body)}
        return project["tasks"]

    def _send(self, status, content, headers=()):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        with contextlib.suppress(BrokenPipeError):  # by who did not wait
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)


@pytest.fixture(scope="module")
def running():
    found = Studio(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=found.serve_forever, args=(0.01,))
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.fixture
def server(running, monkeypatch):
    monkeypatch.setenv(TOKEN, SECRET)
    running.projects, running.asked, running.failure, running.access = [], Counter(), None, None
    return running


def url(server):
    return f"http://127.0.0.1:{server.server_port}"


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
