"""What people see while objects are chosen from a pool in parts."""

import io
import re

import pytest
from rich.console import Console
from typing_extensions import override

from alray.cli.display.choosing_progress import ChoosingDisplay
from alray.labelling.choosing import choose_with
from alray.studies.notebook_progress import ChoosingProgress
from tests.helpers.choosing import trained_network, work_on, write


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return work_on(write(tmp_path_factory.mktemp("pool") / "p.parquet", 3), trained_network())


def test_plain_lines_say_what_is_done_and_how_fast(work):
    out = io.StringIO()
    choose_with(work, ChoosingDisplay(Console(file=out, width=80), "starting"))
    first, *_, rows, rate = out.getvalue().splitlines()
    assert first.startswith("margin chooses 20 objects from ")
    assert first.endswith("p.parquet: 700 rows in 3 parts of 1 file")
    assert re.fullmatch(r"700/700 rows in \d+ s", rows)
    assert re.fullmatch(r"[\d,]+ rows/s, 1 process of up to [\d.]+ [MG]B memory", rate)


@pytest.mark.parametrize("width", [60, 80])
def test_a_terminal_shows_rows_rate_and_time_left_in_its_width(work, width):
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True, color_system=None)
    seen = list[str]()

    class Shown(ChoosingDisplay):
        @override
        def read(self, done):
            super().read(done)
            drawing = Console(file=io.StringIO(), width=width, record=True)
            drawing.print(self._draw())
            seen.extend(drawing.export_text().splitlines())

    choose_with(work, Shown(console, "starting"))
    assert any(line.startswith("234/700 rows ") and "33 %" in line for line in seen)
    assert any(
        re.fullmatch(r"  [\d,]+ rows/s, 1 process of up to .*B memory", line) for line in seen
    )
    assert max(map(len, seen)) <= width


def test_a_notebook_counts_rows(work):
    progress = ChoosingProgress()
    progress._total = 700
    choose_with(work, NotDrawn(progress))
    assert "700/700 rows" in progress.html()
    assert "rows/s" in progress.html()


class NotDrawn(ChoosingProgress):
    """Passes on what has been read: there is no notebook to draw in."""

    def __init__(self, progress):
        super().__init__()
        self._to = progress

    @override
    def begin(self, work):
        pass

    @override
    def read(self, done):
        self._to.read(done)
