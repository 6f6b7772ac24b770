"""`alray.Campaign`: labelling for real, batch after batch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from alray.analysis.campaign.status import CampaignStatus
from alray.errors import SpecError
from alray.exchange.long_table import answers_from_frame
from alray.exchange.reading import read_answers
from alray.exchange.writing import write_tasks
from alray.labelling.beginning import about, code_of, merged, resolved
from alray.labelling.choosing import choose_with
from alray.labelling.export import write_labels
from alray.labelling.from_study import Taken, take_from
from alray.labelling.studio_project import Named
from alray.labelling.syncing import Pulled, Sent, Synced, pull_answers, send_batch, sync
from alray.pools.open_pool import read_open_pool
from alray.settings.campaign import CampaignSpec
from alray.settings.common import ExecutionSpec
from alray.settings.location import Location, StudyPath, location_of
from alray.studies.arguments import study_settings
from alray.studies.campaign.adding import Accept, Added
from alray.studies.campaign.campaign import (
    FROM,
    add_answers,
    begin,
    choose_next,
    require_nothing,
    settings_of,
)
from alray.studies.campaign.checks import check_network, check_pool, check_room, check_strategy
from alray.studies.campaign.export import labels_table
from alray.studies.campaign.made_batch import MadeBatch
from alray.studies.campaign.status import read_status
from alray.studies.campaign.store import CampaignStore, Project
from alray.studies.choosing.choice import Choice
from alray.studies.choosing.observer import ChoosingObserver
from alray.studies.choosing.work import Choosing


@dataclass(frozen=True, eq=False)
class Begun:
    """A campaign that is about to begin, or has begun.

    Attributes:
        campaign: The campaign.
        said: What the user should know, a line each.
    """

    campaign: "Campaign"
    said: tuple[str, ...]


class Campaign:
    """Labelling for real: a ledger of what was asked and answered, in a folder of its own.

    Attributes:
        path: The folder, local or in an object store.
    """

    def __init__(self, path: str | Path | Location) -> None:
        """Open a campaign that `start` began.

        Raises:
            StoreError: None lies there.
        """
        self.path: StudyPath = location_of(path)
        self._store = CampaignStore(self.path)
        settings_of(self._store)

    @classmethod
    def start(
        cls,
        source: str | Path | None = None,
        /,
        *,
        study: str | Path | Location | None = None,
        arm: str | None = None,
        results: str | Path | Location = "results",
        **settings: Any,
    ) -> "Campaign":
        """Begin a campaign on a pool of which some objects, or all, have no label.

        Args:
            source: The pool: a Parquet file, a folder, a pattern or an address; the study's if not given.
            study: A sweep's folder, from which strategy, network, training and pool settings are taken.
            arm: The arm of the study to follow: the best one, where it is shown better than random, else random.
            results: Folder in which the campaign's own folder is made.
            settings: Settings of `CampaignSpec` by name, over those of the study.

        Raises:
            AlrayError: Something in the settings, the pool or the folder prevents it.
        """
        if source is not None:
            given = settings.get("pool", {})
            settings["pool"] = {**dict(given), "source": str(source)}
        taken = None if study is None else take_from(study, arm)
        values = settings if taken is None else merged(taken.values, settings)
        spec = study_settings(CampaignSpec, values, {})
        return start(spec, results, taken, command="alray.Campaign.start(...)").campaign

    @property
    def settings(self) -> CampaignSpec:
        """The campaign's settings."""
        return settings_of(self._store)

    @property
    def last_batch(self) -> int:
        """The number of the last batch, 0 before the first."""
        return self._store.last_batch

    @property
    def project(self) -> Project | None:
        """The project of a Label Studio server that `sync` keeps it in step with; None before the first time."""
        return self._store.read_project()

    def next(
        self,
        objects: int,
        *,
        new: bool = False,
        again: bool = False,
        execution: ExecutionSpec | None = None,
        observer: ChoosingObserver | None = None,
    ) -> MadeBatch:
        """Return the next batch: fit on all labels known, choose, and write it into the ledger.

        Where nothing has been answered about the last batch, that is it.

        Args:
            objects: How many objects.
            new: Whether to choose another batch all the same.
            again: Whether objects of earlier batches without an answer that names a class come first.
            execution: Where a pool that is read in parts is read: by Ray, if not given.
            observer: Learns of the progress of such a reading.

        Raises:
            AlrayError: No object is left, or the pool cannot be used.
        """
        if objects < 1:
            raise SpecError(f"a batch has at least one object (got {objects})")
        settings = self.settings
        if execution is not None and not settings.in_parts:
            raise SpecError(
                f"{self.path}: the pool is in memory, not read in parts, so execution has no use; leave it out"
            )

        def chooser(work: Choosing) -> Choice:
            options = replace(work.options, execution=execution or ExecutionSpec())
            return choose_with(replace(work, options=options, code=code_of(settings)), observer)

        return choose_next(self._store, objects, chooser, new=new, again=again)

    def write(self, batch: MadeBatch, path: str | Path, format: str = "csv") -> tuple[Path, ...]:  # noqa: A002
        """Write a batch as a file that a labelling tool imports; return the files written.

        The network's predictions are not in it: assessors who see them tend to agree, and accuracy would look better
        than it is.

        Raises:
            AlrayError: There is no such format, or the file cannot be written.
        """
        return write_tasks(batch.tasks, path, format, batch.classes)

    def add(
        self,
        answers: str | Path | pd.DataFrame,
        *,
        format: str | None = None,  # noqa: A002 -- what users call it
        source: str = "the table of answers",
        take_unasked: bool = False,
        allow_new_classes: bool = False,
    ) -> Added:
        """Add answers to the ledger: all that can be used, and what cannot counted and named. The one way in.

        Args:
            answers: A labelling tool's export, or a table with `task`, `worker` and `label`.
            format: The export's format; found by its content if not given.
            source: What the ledger and messages call a table; a file has its own name.
            take_unasked: Whether answers about objects that no batch had are used.
            allow_new_classes: Whether answers may name classes that were not known.

        Raises:
            AlrayError: The answers cannot be read, name an unknown class, or none can be used.
        """
        if isinstance(answers, pd.DataFrame):
            table, notes = answers_from_frame(answers, source)
        else:
            source = str(answers)
            table, notes = read_answers(answers, format)
        accept = Accept(take_unasked, allow_new_classes)
        added = add_answers(self._store, table, source, accept)
        return replace(added, notes=(*(note.text for note in notes), *added.notes))

    def sync(
        self,
        label_studio: str | None = None,
        *,
        project: int | None = None,
        new_project: bool = False,
        take_unasked: bool = False,
        allow_new_classes: bool = False,
    ) -> Synced:
        """Add the answers that a Label Studio server has, then send it the objects of the last batch that wait.

        The first time it makes a project, whose address and number stay with the campaign. The user's token comes
        from the environment variable `LABEL_STUDIO_API_KEY` alone.

        Args:
            label_studio: The server's address; the one of last time if not given.
            project: Number of a project that is there.
            new_project: Whether to make another project.
            take_unasked: As for `add`.
            allow_new_classes: As for `add`.

        Raises:
            AlrayError: The server does not answer or refuses, there is no such project or it is another campaign's,
                or as for `add`; but answers of which none can be used are no mistake.
        """
        named = Named(label_studio, project, new_project)
        return sync(self._store, named, Accept(take_unasked, allow_new_classes))

    def pull(self, label_studio: str | None = None) -> Pulled | None:
        """Add the answers of the project alone, as `sync` does; None where there is no project yet.

        Raises:
            AlrayError: As for `sync`.
        """
        return pull_answers(self._store, label_studio)

    def push(self, label_studio: str | None = None) -> Sent:
        """Send the objects of the last batch that wait alone, as `sync` does.

        Raises:
            AlrayError: As for `sync`.
        """
        return send_batch(self._store, label_studio)

    def status(self, targets: Sequence[float] = ()) -> CampaignStatus:
        """Return what the campaign has reached, and what accuracies would take; nothing is fitted."""
        return read_status(self._store, targets)

    def export(self, path: str | Path | None = None) -> pd.DataFrame:
        """Return the labels, a row per object that has one; write them, where a `.parquet` or `.csv` is named.

        Raises:
            AlrayError: The file has another ending, or cannot be written.
        """
        table = labels_table(self._store)
        if path is not None:
            write_labels(table, path)
        return table


def start(
    spec: CampaignSpec,
    results: str | Path | Location,
    taken: Taken | None,
    *,
    command: str,
    dry: bool = False,
) -> Begun:
    """Check all that can be checked, and begin a campaign.

    Args:
        spec: Its settings.
        results: Folder in which its own folder is made.
        taken: What a study gave.
        command: Kept in the manifest.
        dry: Whether only to check.

    Raises:
        AlrayError: Something prevents it.
    """
    spec = resolved(spec)
    store = CampaignStore(location_of(results) / str(spec.name))
    require_nothing(store)
    if not dry:
        store.require_writable()
    strategy = check_strategy(spec)
    code = code_of(spec)
    pool = read_open_pool(spec.pool, spec.show, in_parts=spec.in_parts)
    classes = check_pool(spec, pool)
    spec = spec.model_copy(update={"initial": spec.started_at(len(pool.known.ids))})
    said = (*pool.notes, *about(spec, pool, classes))
    check_room(spec, pool, strategy)
    check_network(spec, pool, strategy, len(classes))
    origin: dict[str, Any] = {"command": command}
    if taken is not None:
        origin[FROM] = {"arm": taken.arm, "found": taken.found, **taken.needed}
        said = (*taken.said, *said)
    if not dry:
        begin(store, spec, pool, code, origin)
    campaign = object.__new__(Campaign)
    campaign.path, campaign._store = store.root, store
    return Begun(campaign, said)
