"""Progress of a choice from a pool in parts: a bar of rows with their rate on a terminal, plain lines elsewhere."""

import time
from typing import Any

from rich.console import RenderableType
from rich.text import Text
from typing_extensions import override

from alray.analysis.wording import count
from alray.cli.display.phrases import size
from alray.cli.display.progress import Display
from alray.studies.choosing.observer import ChoosingObserver
from alray.studies.choosing.part_worker import PartDone
from alray.studies.choosing.work import Choosing


class ChoosingDisplay(Display, ChoosingObserver):
    """Counts rows."""

    unit = "row"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parts = self._parts_read = self._peak = 0
        self._processes: set[tuple[str, int]] = set()

    @override
    def begin(self, work: Choosing) -> None:
        files = work.pool.files
        self._parts = len(files.parts)
        where = f"{count(self._parts, 'part')} of {count(len(files.sources), 'file')}"
        headline = (
            f"{work.strategy} chooses {count(work.number, 'object')} from {files.path}: "
            f"{count(files.rows, 'row')} in {where}"
        )
        self._open([headline], total=files.rows, done=0, before="")

    @override
    def read(self, done: PartDone) -> None:
        self._done += done.part.rows
        self._parts_read += 1
        self._processes.add((done.host, done.costs.process))
        self._peak = max(self._peak, done.costs.peak)

    @override
    def _state(self) -> str:
        return f"{self._done:,}/{count(self._total, 'row')}"

    @override
    def _current(self) -> RenderableType | None:
        return Text(f"  {self._pace()}", style="dim") if self._parts_read else None

    @override
    def end(self) -> None:
        super().end()
        if self._parts_read:
            self._say(self._pace())

    def _pace(self) -> str:
        processes = count(len(self._processes), "process", "processes")
        return f"{self._rate():,.0f} rows/s, {processes} of up to {size(self._peak)} memory"

    def _rate(self) -> float:
        return self._done / max(time.monotonic() - self._begun, 1e-9)
