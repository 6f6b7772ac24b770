"""The driver of a choice: a lost part is read again, one that stays lost ends it, Ctrl-C too; what parts send back."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
from typing_extensions import override

from alray.errors import Interrupted, SpecError, StudyFailed
from alray.labelling.choosing import choose_with, start_parts
from alray.pools.columns.vector_sources import VectorSource
from alray.studies.choosing.driver import ChoosingDriver
from alray.studies.choosing.observer import ChoosingObserver
from alray.studies.choosing.part_worker import PartDone, PartJob, PartWorker
from alray.studies.events import Failure
from alray.studies.inline import InlineExecutor
from alray.studies.retries import HERE
from tests.helpers.choosing import same, trained_network, work_on, write


@pytest.fixture(scope="module")
def network():
    return trained_network()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write(tmp_path_factory.mktemp("pool") / "pool.parquet", 7)


class Losing(InlineExecutor[PartJob, PartDone]):
    """Loses the worker of part 3 so many times."""

    def __init__(self, work, times):
        super().__init__(lambda: PartWorker(work, work.checksum(), HERE))
        self.left, self.read = times, list[str]()

    @override
    def wait(self, seconds):
        job, _ = self._job or (None, None)
        if job is not None and job.name == "part-3" and self.left:
            self.left -= 1
            self._job = None
            return [Failure(job.name, "its process was killed", HERE)]
        self.read += [] if job is None else [job.name]
        return super().wait(seconds)


class Listener(ChoosingObserver):
    def __init__(self):
        self.losses, self.parts = list[str](), list[PartDone]()

    @override
    def lost(self, job, failure, resumes_after):
        self.losses.append(job.title)

    @override
    def read(self, done):
        self.parts.append(done)


def test_a_lost_worker_costs_its_part_alone(network, path):
    work, listener = work_on(path, network), Listener()
    executor = Losing(work, 2)
    found = ChoosingDriver(work, [listener]).choose(lambda: executor)
    assert same(found, choose_with(work))
    assert sorted(executor.read) == [f"part-{n}" for n in range(7)]
    assert listener.losses == ["part 3 (100 rows)"] * 2


def test_without_a_part_nothing_is_chosen(network, path):
    work = work_on(path, network)
    with pytest.raises(
        StudyFailed, match="part-3 of 7 could not be read: its worker died 3 times"
    ):
        ChoosingDriver(work).choose(lambda: Losing(work, 9))


def test_ctrl_c_ends_a_choice(network, path):
    class Interrupting(Listener):
        @override
        def read(self, done):
            super().read(done)
            os.kill(os.getpid(), signal.SIGINT)

    listener = Interrupting()
    with pytest.raises(Interrupted):
        choose_with(work_on(path, network), listener)
    assert len(listener.parts) == 1


def test_parts_send_back_what_may_still_be_chosen_and_what_they_took(network, path):
    listener = Listener()
    found = choose_with(work_on(path, network, number=10), listener)
    sent = [done.ranked for done in listener.parts if done.ranked is not None]
    assert len(sent[0]) == 10
    assert sum(map(len, sent)) < 40  # of ten each
    assert sorted(np.concatenate([ranked.scores for ranked in sent]))[:10] == found.scores.tolist()
    costs = listener.parts[0].costs
    assert costs.reading > 0
    assert costs.scoring > 0
    assert costs.process == os.getpid()
    assert costs.peak > 2**20
    assert sum(done.counts.rows for done in listener.parts) == found.counts.rows == 700


def test_row_groups_without_a_candidate_are_not_read(network, path, monkeypatch):
    read, batches = list[str](), VectorSource.batches

    def counted(source, size):
        read.append(source.file.path)
        return batches(source, size)

    monkeypatch.setattr(VectorSource, "batches", counted)
    work = work_on(path, network)
    far = replace(work.pool, excluded=lambda ids: np.array([int(i[7:]) >= 200 for i in ids]))
    choose_with(replace(work, pool=far))
    assert len(read) == 2 * 2  # two row groups of two modalities


def test_nothing_is_started_for_a_wrong_request(network, path):
    work = work_on(path, network, "coreset")
    with pytest.raises(SpecError, match="labelled"):
        ChoosingDriver(work).choose(lambda: pytest.fail("an executor was started"))
    assert isinstance(start_parts(work), InlineExecutor)
