"""Tasks to a Label Studio server, and answers from it, by its interface (of 1.23, https://api.labelstud.io)."""

import os
from collections.abc import Iterator, Mapping, Sequence
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
        number = create_project(server, config, title)
        question = question_of(config, "the project")
        there: set[str] = set()
    else:
        number = project
        origin = f"project {number} of {server.url}"
        question = fitting_question(project_at(server, number), found, origin)
        there = {*ids_there(server, number)}
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
    project_at(server, project)
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


def create_project(server: Server, config: str, title: str, **more: Any) -> int:
    """Make a project by the XML of what it shows and asks, and return its number.

    Args:
        server: The server.
        config: The XML.
        title: The project's title, lengthened or cut to what Label Studio wants: 3 to 50 letters.
        more: Further settings of the project, by their names in Label Studio's interface.

    Raises:
        ExchangeError: The server does not answer or refuses.
    """
    name = title[:50] if len(title) >= 3 else f"alray {title}".strip()
    found = server.post("/api/projects/", {"title": name, "label_config": config, **more})
    return int(found["id"])


def project_at(server: Server, number: int) -> dict[str, Any]:
    """Return a project as the server describes it.

    Raises:
        ExchangeError: There is none, or the server does not answer or refuses.
    """
    found = [each for each in projects_at(server, ids=number)[0] if each.get("id") == number]
    if not found:
        raise ExchangeError(
            f"{server.url} has no project {number} that this token may see; give the number that stands in the "
            "project's address, or have a new one made (alray label sync --new-project)"
        )
    return found[0]


def projects_at(server: Server, **query: Any) -> tuple[list[dict[str, Any]], int]:
    """Return a page of projects as the server describes them, and how many there are on all pages.

    Raises:
        ExchangeError: The server does not answer or refuses, or is no Label Studio.
    """
    found = server.get("/api/projects/", **query)
    results = found.get("results") if isinstance(found, dict) else None
    if not isinstance(results, list):
        raise ExchangeError(f"{server.url} did not answer with projects; is it Label Studio?")
    return results, int(found.get("count", len(results)))


def fitting_question(project: Mapping[str, Any], tasks: Tasks, origin: str) -> Question:
    """Return what a project asks.

    Args:
        project: The project, as the server describes it.
        tasks: What it is to show, and the classes that it is to offer.
        origin: The project's name, for messages.

    Raises:
        ExchangeError: It cannot show these tasks, or take their answers.
    """
    question = question_of(str(project.get("label_config") or "<View/>"), origin)
    lacking = [each for each in tasks.classes if question.classes and each not in question.classes]
    if lacking:
        raise ExchangeError(
            f"{origin} does not offer {name_some(lacking)} to choose; add <Choice value=...> for each to its "
            "settings, or have a new project made (alray label sync --new-project)"
        )
    keys = {KEY, *data_keys(tasks).values()}
    unknown = [each for each in question.variables if each not in keys]
    if unknown:
        raise ExchangeError(
            f"{origin} shows {name_some(unknown)}, and the tasks have {name_some(sorted(keys))}; show a column of that "
            "name, or have a new project made (alray label sync --new-project)"
        )
    return question


def ids_there(server: Server, number: int) -> Iterator[str]:
    """Return the objects' ids of all tasks of a project, of those that have one.

    Raises:
        ExchangeError: The server does not answer or refuses.
    """
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
