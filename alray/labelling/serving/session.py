"""What lies behind the page: the objects that wait, the assessors' answers, and their way into the ledger."""

import datetime as dt
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from alray.errors import AlrayError, SpecError
from alray.labelling.campaign import Campaign
from alray.labelling.serving.desk import Desk, Said
from alray.labelling.serving.images import Image, ImageError, kind_of, read_image
from alray.labelling.serving.journal import Journal, Row
from alray.pools.open_pool import read_shown
from alray.settings.location import location_of
from alray.studies.campaign.ledger import Ledger, assessors_of, read_ledger
from alray.studies.campaign.store import CampaignStore

SOURCE = "alray label serve"
"""What the ledger has as the source of these answers."""

STATUS_OF = {True: "answered", False: "skipped"}


class NotYoursError(Exception):
    """An answer is about another object than the assessor was given."""


class Session:
    """The page's state, for any number of threads.

    Each answer is on the disk, in the journal, before `answer` returns. `flush` adds what the journal has to the
    ledger, by `Campaign.add`; what a process that was killed has left there is added by the next session.
    """

    def __init__(self, campaign: Campaign, show: Sequence[str] = ()) -> None:
        """Open a session; what an earlier one has left is added to the ledger.

        Args:
            campaign: The campaign, in a local folder.
            show: Columns of the pool that assessors see; those of the campaign if none is given.

        Raises:
            AlrayError: No object waits, another process writes in the folder, or there is nothing to show.
        """
        spec = campaign.settings
        if not isinstance(campaign.path, Path):
            raise SpecError(
                f"{campaign.path}: the page needs a campaign in a folder of this machine, so that each answer is on "
                "the disk at once; use a labelling tool, with `alray label next N --format FORMAT`"
            )
        self._show = tuple(show) or spec.show
        if not self._show:
            raise SpecError(
                f"{campaign.path}: assessors would see ids alone: name the columns of the pool to show with --show "
                "COLUMN,COLUMN"
            )
        self.campaign, self.name = campaign, campaign.path.name
        self._spec, self._folder = spec, _folder_of(spec.pool.source)
        self._store = CampaignStore(campaign.path)
        self._store.require_writable()
        self._lock, self._flushing = threading.RLock(), threading.Lock()
        self._desk, self._cells = Desk(spec.answers), {}  # type: tuple[Desk, dict[str, dict[str, str | None]]]
        self._journal = Journal(campaign.path)
        self._pending: list[Row] = list(self._journal.rows)
        self._last_time = _latest(self._pending)
        self._problem = ""
        try:
            self._begin()
        except AlrayError:
            self._journal.close()
            raise

    def _begin(self) -> None:
        mine = {(str(row["task"]), str(row["worker"])): row["status"] for row in self._pending}
        for (task, worker), status in mine.items():
            if status == "rejected":
                self._desk.allow_again(task, worker)
        self.left_over = self._add(self._pending) if self._pending else 0
        self._pending = []
        self._refresh()
        if not self._desk.waiting():
            raise SpecError(
                f"{self.campaign.path}: no object waits for an answer; choose a batch first, with `alray label next "
                "100`, or ask for more answers about each, with another campaign's --answers"
            )

    # What the page asks for

    def state(self, worker: str) -> dict[str, Any]:
        """Return what an assessor's page shows now: his object, how far the answers are, and the classes."""
        with self._lock:
            now = time.monotonic()
            task = self._desk.next(worker, now)
            progress = self._desk.progress(worker)
            return {
                "campaign": self.name,
                "classes": list(self._classes),
                "task": None if task is None else self._task(task),
                "can_undo": self._desk.last(worker) is not None,
                "problem": self._problem,
                "next": ""
                if progress.waiting
                else f"alray label next 100 --campaign {self.campaign.path}",
                **asdict(progress),
            }

    def answer(self, worker: str, task: str, label: str | None) -> None:
        """Take an answer; a label of None says that the assessor cannot tell.

        Raises:
            NotYoursError: The assessor was given another object.
            SpecError: There is no such class.
            StoreError: The answer could not be written, and does not count.
        """
        with self._lock:
            if not self._desk.holds(worker, task):
                raise NotYoursError
            if label is not None and label not in self._classes:
                raise SpecError(f"there is no class {label!r}; load the page anew")
            status = STATUS_OF[label is not None]
            seconds = round(self._desk.held_for(worker, time.monotonic()), 3)
            self._record(task, worker, label, status, seconds)
            self._desk.answer(Said(task, worker, status))
            finished = not self._desk.waiting()
        if finished:
            self.flush()

    def undo(self, worker: str) -> None:
        """Take back an assessor's last answer of this session: its object comes again. It stays on record, rejected.

        Raises:
            NotYoursError: There is none.
            StoreError: It could not be written, and the answer still counts.
        """
        with self._lock:
            task = self._desk.last(worker)
            if task is None:
                raise NotYoursError
            self._record(task, worker, None, "rejected", None)
            self._desk.take_back(worker, time.monotonic())

    def image(self, task: str, column: str) -> Image:
        """Return the image that an object's cell names.

        Raises:
            ImageError: There is none, or it may not be shown.
        """
        with self._lock:
            cell = self._cells.get(task, {}).get(column)
        if cell is None or kind_of(cell) != "image":
            raise ImageError("there is no image")
        return self._read_image(cell)

    # The way into the ledger

    def flush(self) -> None:
        """Add the answers that came since to the ledger; where that cannot be now, they stay in the journal."""
        with self._flushing:
            with self._lock:
                rows = list(self._pending)
            if not rows:
                return
            try:
                self._add(rows)
                with self._lock:
                    del self._pending[: len(rows)]
                self._refresh()
                self._problem = ""
            except AlrayError as error:
                self._problem = str(error)

    def close(self) -> tuple[int, int, str]:
        """Flush and end.

        Returns:
            How many answers came, by how many assessors, and why they are in the journal alone, if they are.
        """
        self.flush()
        self._journal.close()
        return (*self._desk.answered(), self._problem)

    @property
    def journal(self) -> Path:
        """The file that has each answer at once."""
        return self._journal.path

    @property
    def waiting(self) -> int:
        """How many objects wait for an answer."""
        with self._lock:
            return self._desk.waiting()

    def _record(
        self, task: str, worker: str, label: str | None, status: str, seconds: float | None
    ) -> None:
        # The latest answer counts by its time, so no two may be alike, whatever the clock does.
        when = max(dt.datetime.now(dt.UTC), self._last_time + dt.timedelta(microseconds=1))
        row = {
            "task": task,
            "worker": worker,
            "label": label,
            "status": status,
            "seconds": seconds,
            "time": when.isoformat(),
        }
        self._journal.append(row)
        self._last_time = when
        self._pending.append(row)

    def _add(self, rows: Sequence[Row]) -> int:
        """Add rows by the one way in, and return how many were new."""
        return len(self.campaign.add(pd.DataFrame(list(rows)), source=SOURCE).rows)

    def _refresh(self) -> None:
        """Take in what the ledger has: batches and answers that came otherwise too."""
        ledger = read_ledger(self._store)
        waiting = ledger.waiting(self._spec.answers)
        new = [each for each in waiting if each not in self._cells]
        shown = read_shown(self._spec.pool, self._show, new) if new else None
        with self._lock:
            if shown is not None:
                rows = shown.set_index("id").astype(object)
                cells: dict[Any, Any] = rows.where(rows.notna(), None).to_dict("index")
                self._cells.update({str(key): dict(value) for key, value in cells.items()})
            self._classes = ledger.classes(self._spec.classes)
            self._desk.load(_said(ledger))
            self._desk.load(
                Said(str(row["task"]), str(row["worker"]), str(row["status"]))
                for row in self._pending
            )
            self._desk.open(each for each in waiting if each in self._cells)

    def _task(self, task: str) -> dict[str, Any]:
        cells = self._cells[task]
        return {"id": task, "shown": [self._cell(name, cells.get(name)) for name in self._show]}

    def _cell(self, name: str, cell: str | None) -> dict[str, str]:
        found = {
            "column": name,
            "kind": "text" if cell is None else kind_of(cell),
            "text": cell or "",
        }
        if found["kind"] == "image":
            try:
                self._read_image(found["text"])
            except ImageError as error:
                found |= {"kind": "text", "problem": f"the image cannot be shown: {error}"}
        return found

    def _read_image(self, cell: str) -> Image:
        if self._folder is None:
            raise ImageError("the pool is not in a folder of this machine")
        return read_image(cell, self._folder)


def _said(ledger: Ledger) -> list[Said]:
    """Return what is on record; of unnamed assessors by a name that stays theirs whatever is added."""
    valid = ledger.valid
    return [
        Said(str(task), str(worker), str(status))
        for task, worker, status in zip(
            valid["task"], assessors_of(valid), valid["status"], strict=True
        )
    ]


def _folder_of(source: str) -> Path | None:
    """Return the folder of a pool's files, None in an object store."""
    where = location_of(source)
    if not isinstance(where, Path):
        return None
    if where.is_dir():
        return where
    plain = [each for each in (where, *where.parents) if not set("*?[") & set(str(each))]
    return plain[0] if plain[0] != where else where.parent


def _latest(rows: Sequence[Row]) -> dt.datetime:
    times = [dt.datetime.fromisoformat(str(row["time"])) for row in rows]
    return max(times, default=dt.datetime(1970, 1, 1, tzinfo=dt.UTC))
