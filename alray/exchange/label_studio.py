"""Tasks to a Label Studio server, and answers from it, by its interface (of 1.23, https://api.labelstud.io)."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from alray.errors import ExchangeError
from alray.exchange.formats.label_studio import label_studio_answers, label_studio_tasks
from alray.exchange.label_config import Question, data_keys, label_config, question_of
from alray.exchange.notes import Note
from alray.exchange.server import TIMEOUT, Server
from alray.exchange.tasks import KEY, Tasks, checked_tasks
from alray.pools.columns.metadata import name_some

TOKEN = "LABEL_STUDIO_API_KEY"
"""The environment variable with the user's token, which is never stored or shown."""

PAGE = 500
BATCH = 250


@dataclass(frozen=True)
class Pushed:
    """What became of tasks.

    Attributes:
        project: The project's number.
        added: How many tasks are new there.
        already: How many were there before, and were left as they are.
    """

    project: int
    added: int
    already: int


def push(
    url: str,
    project: int | None,
    tasks: pd.DataFrame,
    classes: Sequence[str],
    *,
    title: str = "alray",
    timeout: float = TIMEOUT,
) -> Pushed:
    """Send tasks to a project; one that is there by its id is not sent again.

    Args:
        url: The server's address, such as http://localhost:8080.
        project: The project's number; None makes one.
        tasks: A row per object, as `write_tasks` takes them.
        classes: What a worker may answer.
        title: Of a new project.
        timeout: Seconds to wait for each answer of the server.

    Raises:
        ExchangeError: `LABEL_STUDIO_API_KEY` is not set, the server does not answer or refuses, there is no such
            project, or it does not ask for these classes or show these columns.
    """
    found = checked_tasks(tasks, classes)
    config = label_config(found)
    server = connected(url, timeout)
    if project is None:
        number = int(_create(server, config, title)["id"])
        question = question_of(config, "the project")
        there: set[str] = set()
    else:
        number = project
        origin = f"project {number} of {server.url}"
        question = question_of(
            str(_project(server, number).get("label_config") or "<View/>"), origin
        )
        _require_fit(question, found, origin)
        there = {*_ids(server, number)}
    records = [
        each for each in label_studio_tasks(found, question) if each["data"][KEY] not in there
    ]
    for start in range(0, len(records), BATCH):
        server.post(f"/api/projects/{number}/import", records[start : start + BATCH])
    return Pushed(number, len(records), len(found.rows) - len(records))


def pull(
    url: str, project: int, *, timeout: float = TIMEOUT
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Return all answers of a project as `read_answers` does; the table has no rows where there are none yet.

    Args:
        url: The server's address, such as http://localhost:8080.
        project: The project's number.
        timeout: Seconds to wait for each answer of the server.

    Raises:
        ExchangeError: `LABEL_STUDIO_API_KEY` is not set, the server does not answer or refuses, there is no such
            project, or its answers cannot be read.
    """
    server = connected(url, timeout)
    _project(server, project)
    origin = f"project {project} of {server.url}"
    found = server.get(f"/api/projects/{project}/export", exportType="JSON")
    if not isinstance(found, list):
        raise ExchangeError(f"{origin} was not exported as a list of tasks; is it Label Studio?")
    return label_studio_answers(
        ((f"{origin}: task {each.get('id')}", each) for each in found), origin
    )


def connected(url: str, timeout: float = TIMEOUT) -> Server:
    """Return the server at an address, asked with the token of the environment.

    Raises:
        ExchangeError: `LABEL_STUDIO_API_KEY` is not set or no token, or the address is none.
    """
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise ExchangeError(
            f"{TOKEN} is not set; copy your token from Label Studio's Account & Settings, and export {TOKEN}=..."
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ExchangeError(f"{TOKEN} holds characters that no token has; copy it again")
    return Server(url, token, timeout)


def _create(server: Server, config: str, title: str) -> Any:
    # Label Studio wants titles of 3 to 50 letters.
    name = title[:50] if len(title) >= 3 else f"alray {title}".strip()
    return server.post("/api/projects/", {"title": name, "label_config": config})


def _project(server: Server, number: int) -> Any:
    projects = server.get("/api/projects/", ids=number)
    found = [each for each in projects.get("results", []) if each.get("id") == number]
    if not found:
        raise ExchangeError(
            f"{server.url} has no project {number} that this token may see; its number stands in the project's "
            "address, or name none, and one is made"
        )
    return found[0]


def _require_fit(question: Question, tasks: Tasks, origin: str) -> None:
    """Refuse a project that cannot show the tasks or take their answers."""
    lacking = [each for each in tasks.classes if question.classes and each not in question.classes]
    if lacking:
        raise ExchangeError(
            f"{origin} does not offer {name_some(lacking)} to choose; add <Choice value=...> for each to its "
            "settings, or name no project, and one is made"
        )
    keys = {KEY, *data_keys(tasks).values()}
    unknown = [each for each in question.variables if each not in keys]
    if unknown:
        raise ExchangeError(
            f"{origin} shows {name_some(unknown)}, and the tasks have {name_some(sorted(keys))}; show a column of that "
            "name, or name no project, and one is made"
        )


def _ids(server: Server, number: int) -> Iterator[str]:
    """Return the objects' ids of all tasks of a project."""
    seen, total, page = 0, 1, 1
    while seen < total:
        found = server.get("/api/tasks/", project=number, page=page, page_size=PAGE)
        tasks = found["tasks"]
        if not tasks:
            return
        seen, total, page = seen + len(tasks), int(found["total"]), page + 1
        for task in tasks:
            data = task.get("data") or {}
            known = data.get(KEY, data.get("id"))
            if known is not None:
                yield str(known)
