"""Projects of a Label Studio server that belong to something: made with a mark, found by it, looked at before use."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from alray.exchange.label_config import label_config
from alray.exchange.label_studio import (
    connected,
    create_project,
    fitting_question,
    ids_there,
    project_at,
    projects_at,
)
from alray.exchange.tasks import checked_tasks

PROJECTS_PAGE = 100


@dataclass(frozen=True)
class StudioProject:
    """A project as the server describes it.

    Attributes:
        number: Its number.
        description: Its description, in which who made it may have left a mark.
        tasks: How many tasks it has.
    """

    number: int
    description: str
    tasks: int


def make_project(
    url: str,
    tasks: pd.DataFrame,
    classes: Sequence[str],
    *,
    title: str,
    description: str,
    answers: int,
) -> int:
    """Make a project that shows such tasks, send none of them, and return its number.

    Who writes the number down before `push` sends tasks there never sends them to two projects.

    Args:
        url: The server's address, such as http://localhost:8080.
        tasks: As for `push`.
        classes: What a worker may answer.
        title: Of the project.
        description: Of the project.
        answers: How many workers are asked about each task.

    Raises:
        ExchangeError: As for `push`.
    """
    config = label_config(checked_tasks(tasks, classes))
    more = {"description": description, "maximum_annotations": answers}
    return create_project(connected(url), config, title, **more)


def look_at(url: str, number: int) -> StudioProject:
    """Return what is known of a project.

    Raises:
        ExchangeError: There is none, or the server does not answer or refuses.
    """
    return _described(project_at(connected(url), number))


def projects_marked(url: str, mark: str) -> list[StudioProject]:
    """Return the projects in whose description a text stands, the latest first.

    Raises:
        ExchangeError: The server does not answer or refuses.
    """
    server, found, total, page = connected(url), list[StudioProject](), 1, 1
    while len(found) < total:
        results, total = projects_at(server, page=page, page_size=PROJECTS_PAGE)
        if not results:
            break
        found += [_described(each) for each in results]
        page += 1
    marked = [each for each in found if mark in each.description]
    return sorted(marked, key=lambda each: -each.number)


def require_fit(url: str, number: int, tasks: pd.DataFrame, classes: Sequence[str]) -> None:
    """Refuse a project that cannot show tasks or take answers of these classes.

    Raises:
        ExchangeError: It cannot, or the server does not answer or refuses.
    """
    server = connected(url)
    origin = f"project {number} of {server.url}"
    fitting_question(project_at(server, number), checked_tasks(tasks, classes), origin)


def ids_in(url: str, number: int) -> frozenset[str]:
    """Return the objects' ids of all tasks of a project, of those that have one.

    Raises:
        ExchangeError: The server does not answer or refuses.
    """
    return frozenset(ids_there(connected(url), number))


def _described(project: dict[str, Any]) -> StudioProject:
    return StudioProject(
        int(project["id"]),
        str(project.get("description") or ""),
        int(project.get("task_number") or 0),
    )
