"""Which project of a Label Studio server a campaign is kept in step with: the one on record, named, found or made."""

import re
from dataclasses import dataclass
from typing import Literal

from alray.analysis.wording import count
from alray.errors import SpecError
from alray.exchange.label_studio import connected
from alray.exchange.label_studio_projects import (
    StudioProject,
    ids_in,
    look_at,
    make_project,
    projects_marked,
    require_fit,
)
from alray.pools.columns.metadata import name_some
from alray.studies import manifest
from alray.studies.campaign.campaign import settings_of
from alray.studies.campaign.ledger import read_ledger
from alray.studies.campaign.made_batch import MadeBatch, last_waiting
from alray.studies.campaign.store import PROJECT, CampaignStore, Project

_MARK = re.compile(r"alray campaign (.+?), begun (\S+)")

Origin = Literal["known", "named", "found", "made"]


@dataclass(frozen=True)
class Named:
    """Which project the user names.

    Attributes:
        url: The server's address; None for the one that the campaign knows.
        number: The project's number; None for the one that the campaign knows, or a new one where it knows none.
        new: Whether to make another project, though the campaign knows one.
    """

    url: str | None = None
    number: int | None = None
    new: bool = False


@dataclass(frozen=True)
class Settled:
    """The project that it is.

    Attributes:
        project: The project, on record.
        origin: Whether it was on record before, was named now, was found (a command that was killed had made it, or
            the record was lost), or was made now.
    """

    project: Project
    origin: Origin


def settled(store: CampaignStore, named: Named) -> Settled:
    """Return the project, on record. Where none is known or named it is found by its mark, or made.

    The number is on record before a task is sent, and a project bears the campaign's mark from the beginning, so that
    a command that is killed anywhere is simply repeated.

    Raises:
        AlrayError: No server is known, the project is another campaign's or cannot take the tasks, there is nothing
            to make one for, or the server does not answer or refuses.
    """
    with store:
        known = store.read_project()
        url, number = _meant(named, known)
        mark = mark_of(store)
        if known is not None and (url, number) == (known.url, known.number):
            _require_own(look_at(url, known.number), known, mark, f"{store.root / PROJECT} names")
            return Settled(known, "known")
        found = _named(store, url, number, mark) if number else _found(store, url, known, mark)
        store.write_project(found.project)
        return found


def mark_of(store: CampaignStore) -> str:
    """Return what stands in the description of a campaign's projects."""
    begun = manifest.read(store, warn=False).get("begun", "")
    return f"alray campaign {settings_of(store).name}, begun {begun}"


def _meant(named: Named, known: Project | None) -> tuple[str, int | None]:
    """Return the address that is meant, and the project's number; None where it has to be found or made.

    Raises:
        SpecError: What is named contradicts itself, no server is known, or another one is named without a project.
    """
    if named.new and named.number is not None:
        raise SpecError(
            f"--new-project makes another project, and --project {named.number} names one: leave one of them out"
        )
    # As the server's address is kept: without a slash at its end.
    url = None if named.url is None else connected(named.url).url
    if known is None:
        if url is None:
            raise SpecError(
                "this campaign knows no Label Studio server yet; name its address once, such as --label-studio "
                "http://localhost:8080"
            )
        return url, named.number
    if named.new or named.number is not None:
        return url or known.url, named.number
    if url not in {None, known.url}:
        raise SpecError(
            f"this campaign is kept in step with {known.title}; if that server is now at {url}, type alray label sync "
            f"--label-studio {url} --project {known.number}, and for a project of another server --new-project in the "
            "place of --project"
        )
    return known.url, known.number


def _named(store: CampaignStore, url: str, number: int, mark: str) -> Settled:
    """Return a project that the user names.

    Raises:
        AlrayError: It is another campaign's, cannot take the tasks, or is not there.
    """
    project = Project(url, number)
    there = look_at(url, number)
    _require_own(there, project, mark, "--project names")
    ledger = read_ledger(store)
    ids = ids_in(url, number) if there.tasks and mark not in there.description else frozenset()
    if there.tasks and mark not in there.description and ids.isdisjoint(ledger.seen):
        which = f", but about {name_some(sorted(ids))}" if ids else ""
        raise SpecError(
            f"{project.title} has {count(there.tasks, 'task')}, and none is about an object of this campaign{which}"
            "; leave --project out, and a project of its own is used"
        )
    waiting = last_waiting(ledger, settings_of(store), store.last_batch)
    if waiting is not None:
        require_fit(url, number, waiting.tasks, waiting.classes)
    return Settled(project, "named")


def _found(store: CampaignStore, url: str, known: Project | None, mark: str) -> Settled:
    """Return a project that bears the campaign's mark, though it is not on record; make one where there is none.

    In the place of a project that is known, one that has tasks is not taken: it may be that which the user leaves.

    Raises:
        AlrayError: There is nothing to make one for, or the server does not answer or refuses.
    """
    for each in projects_marked(url, mark):
        if known is None or (Project(url, each.number) != known and not each.tasks):
            return Settled(Project(url, each.number), "found")
    spec, number = settings_of(store), store.last_batch
    waiting = last_waiting(read_ledger(store), spec, number)
    if waiting is None:
        raise SpecError(
            f"{nothing_waits(number)}, so there is nothing to make a project for; choose objects with `alray label "
            "next 200`, and run the same command again"
        )
    made = _make(url, waiting, str(spec.name), mark, spec.answers)
    return Settled(Project(url, made), "made")


def _make(url: str, waiting: MadeBatch, title: str, mark: str, answers: int) -> int:
    description = f"Tasks of the {mark}"
    return make_project(
        url,
        waiting.tasks,
        waiting.classes,
        title=title,
        description=description,
        answers=answers,
    )


def _require_own(there: StudioProject, project: Project, mark: str, how: str) -> None:
    """Refuse a project that another campaign has made.

    Raises:
        SpecError: It is another campaign's.
    """
    found = _MARK.search(there.description)
    if found is None or mark in there.description:
        return
    step = (
        "leave it out, and a project of its own is used"
        if how.startswith("--")
        else "have another one made (alray label sync --new-project)"
    )
    raise SpecError(
        f"{how} {project.title}, which the campaign {found[1]}, begun {found[2]}, has made for itself; {step}"
    )


def nothing_waits(number: int) -> str:
    """Return why nothing can be sent, where `number` is the last batch's, 0 without one."""
    return (
        f"no object of batch {number} waits for answers"
        if number
        else "no batch has been chosen yet"
    )
