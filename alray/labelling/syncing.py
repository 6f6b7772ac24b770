"""A campaign and a project of a Label Studio server, kept in step: answers come from there, tasks go there."""

from dataclasses import dataclass, replace

from alray.exchange.label_studio import Pushed, connected, pull, push
from alray.exchange.label_studio_projects import ids_in, projects_marked
from alray.labelling.studio_project import Named, Origin, Settled, mark_of, settled
from alray.studies.campaign.adding import Accept, Added
from alray.studies.campaign.campaign import add_answers, settings_of
from alray.studies.campaign.ledger import read_ledger
from alray.studies.campaign.made_batch import last_waiting, left_behind
from alray.studies.campaign.store import CampaignStore, Project


@dataclass(frozen=True, eq=False)
class Pulled:
    """What became of a project's answers.

    Attributes:
        project: The project.
        answers: How many answers it has, skipped ones among them.
        added: What became of them; None where there are none.
    """

    project: Project
    answers: int
    added: Added | None


@dataclass(frozen=True, eq=False)
class Sent:
    """What became of a campaign's tasks.

    Attributes:
        project: The project.
        origin: Whether the project was on record before, was named now, was found, or was made now.
        batch: Number of the last batch, 0 where there is none yet.
        pushed: What became of the objects of that batch that wait for answers; None where none waits.
        waiting: How many these are.
        left_behind: Where the project is new to the campaign: objects of earlier batches without any answer that it
            does not have.
    """

    project: Project
    origin: Origin
    batch: int
    pushed: Pushed | None
    waiting: int
    left_behind: int


@dataclass(frozen=True, eq=False)
class Synced:
    """What came and what went.

    Attributes:
        pulled: What became of answers; None where the project was made now, and has none.
        sent: What became of tasks.
    """

    pulled: Pulled | None
    sent: Sent


def sync(store: CampaignStore, named: Named, accept: Accept) -> Synced:
    """Add the answers that a project has and that are not on record, then send what waits for answers.

    Args:
        store: The campaign's folder.
        named: Which project is meant.
        accept: What is accepted besides answers to what was asked, of known classes.

    Raises:
        AlrayError: As `settled` and `push` have it, or an answer cannot be added. What was added and sent before stays.
    """
    settings_of(store)
    found = settled(store, named)
    pulled = None if found.origin == "made" else _pulled(store, found.project, accept)
    return Synced(pulled, _sent(store, found))


def pull_answers(store: CampaignStore, url: str | None) -> Pulled | None:
    """Add the answers of the project that is on record; None where none is, and the server at `url` is one.

    Raises:
        AlrayError: No server is known, it does not answer or refuses, or an answer cannot be added.
    """
    settings_of(store)
    unknown = url is not None and store.read_project() is None
    # Whoever waits for a batch wants to know before that it cannot be sent: this asks the server.
    if unknown and not projects_marked(connected(str(url)).url, mark_of(store)):
        return None
    return _pulled(store, settled(store, Named(url)).project, Accept())


def send_batch(store: CampaignStore, url: str | None) -> Sent:
    """Send what waits for answers.

    Raises:
        AlrayError: As `settled` and `push` have it. What was sent before stays.
    """
    settings_of(store)
    return _sent(store, settled(store, Named(url)))


def _pulled(store: CampaignStore, project: Project, accept: Accept) -> Pulled:
    table, notes = pull(project.url, project.number)
    if not len(table):
        return Pulled(project, 0, None)
    # A project may have answers from before the campaign, so that none can be used is no mistake.
    added = add_answers(store, table, project.title, replace(accept, all_aside=True))
    said = (*(note.text for note in notes), *added.notes)
    return Pulled(project, len(table), replace(added, notes=said))


def _sent(store: CampaignStore, found: Settled) -> Sent:
    spec, project = settings_of(store), found.project
    # Two commands at once would each find that a task is not there yet.
    with store:
        ledger, number = read_ledger(store), store.last_batch
        waiting = last_waiting(ledger, spec, number)
        pushed = None
        if waiting is not None:
            pushed = push(project.url, project.number, waiting.tasks, waiting.classes)
        behind = [] if found.origin == "known" else left_behind(ledger, number)
        if behind:
            behind = [*set(behind).difference(ids_in(project.url, project.number))]
    left = 0 if waiting is None else len(waiting.tasks)
    return Sent(project, found.origin, number, pushed, left, len(behind))
