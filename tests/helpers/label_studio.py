"""A small server with as much of Label Studio's interface as alray uses."""

import contextlib
import datetime as dt
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typing_extensions import override

from alray.exchange.label_studio import TOKEN

SECRET = "0123456789abcdef-secret"
BEGUN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Studio(ThreadingHTTPServer):
    """What the server has, what it was asked, and how it is to fail.

    Attributes:
        projects: Each with its tasks; number 0 is one that was deleted.
        asked: How often each request came.
        failure: Status, content and headers of every answer, None where it works.
        lost: Requests that are done, but whose answer never arrives.
        access: The short-lived token that is given for a personal one.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.forget()

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.server_port}"

    def forget(self) -> None:
        """Begin anew."""
        self.projects: list[dict[str, Any]] = []
        self.asked: Counter[str] = Counter()
        self.failure: Any = None
        self.lost: set[str] = set()
        self.access: str | None = None

    def ids(self, project: int = 1) -> list[str]:
        """Return the ids of a project's objects, in the order in which they came."""
        return [each["data"]["alray_id"] for each in self.projects[project - 1]["tasks"]]

    def answer(self, answers: Mapping[str, str | None], project: int = 1, by: int = 2) -> None:
        """Have an assessor answer about objects by their ids, with a class or with a skip."""
        for task in self.projects[project - 1]["tasks"]:
            name = task["data"]["alray_id"]
            if name not in answers:
                continue
            label = answers[name]
            value = {"from_name": "alray_class", "type": "choices", "value": {"choices": [label]}}
            number = sum(len(each["annotations"]) for each in self.projects[project - 1]["tasks"])
            task["annotations"].append(
                {
                    "id": 100 * project + number,
                    "completed_by": by,
                    "result": [] if label is None else [value],
                    "was_cancelled": label is None,
                    "updated_at": (BEGUN + dt.timedelta(seconds=number)).isoformat(),
                }
            )


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
        request = f"{self.command} {address.path}"
        server.asked[request] += 1
        if server.failure is not None:
            return self._send(*server.failure)
        if address.path == "/api/token/refresh/":
            server.access = f"short-lived-{len(server.asked)}"
            return self._send(200, {"access": server.access})
        if self.headers["Authorization"] not in {f"Token {SECRET}", f"Bearer {server.access}"}:
            return self._send(401, {"detail": f"Invalid token {SECRET}."})
        content = self._content(address.path, query, body)
        if request in server.lost:
            self.close_connection = True
            return None
        return self._send(200, content)

    def _content(self, path, query, body):
        projects = self.server.projects
        if path == "/api/projects/" and body is None:
            return self._projects(query)
        if path == "/api/projects/":
            projects.append({"id": len(projects) + 1, "tasks": [], **body})
            return projects[-1]
        if path == "/api/tasks/":
            tasks = projects[int(query["project"]) - 1]["tasks"]
            return {"total": len(tasks), "tasks": _page(tasks, query)}
        project = projects[int(path.split("/")[3]) - 1]
        if body is not None:
            project["tasks"] += [{"id": 5, "annotations": [], **each} for each in body]
            return {"task_count": len(body)}
        return project["tasks"]

    def _projects(self, query):
        there = [each for each in self.server.projects if each["id"]]
        if "ids" in query:
            found = [each for each in there if str(each["id"]) == query["ids"]]
        else:
            found = _page(there, query)
        described = [{**each, "task_number": len(each["tasks"])} for each in found]
        return {"count": len(there), "results": described}

    def _send(self, status, content, headers=()):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        with contextlib.suppress(BrokenPipeError):  # by who did not wait
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)


def _page(rows, query):
    size = int(query["page_size"])
    start = size * (int(query["page"]) - 1)
    return rows[start : start + size]


@contextlib.contextmanager
def served() -> Iterator[Studio]:
    """Run a server on a free port."""
    found = Studio()
    thread = threading.Thread(target=found.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield found
    finally:
        found.shutdown()
        thread.join()
        found.server_close()


@pytest.fixture(scope="module")
def running() -> Iterator[Studio]:
    """Return a server that all tests of a module share."""
    with served() as found:
        yield found


@pytest.fixture
def server(running: Studio, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """Return it as if it had just begun, with its token in the environment."""
    monkeypatch.setenv(TOKEN, SECRET)
    running.forget()
    return running
