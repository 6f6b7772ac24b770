"""Choosing on a local Ray: equal to the bit to a choice in this process, a killed worker costs its part."""

import contextlib
from dataclasses import replace

import psutil
import pytest
from typing_extensions import override

from alray.errors import PoolError
from alray.labelling.choosing import choose_with
from alray.settings.common import ExecutionSpec
from alray.studies.choosing.observer import ChoosingObserver
from tests.helpers.choosing import labelled_objects, same, trained_network, work_on, write
from tests.helpers.processes import ray_workers

pytestmark = pytest.mark.ray

ON_RAY = ExecutionSpec(parallel=2)


class Listener(ChoosingObserver):
    """Kills the workers after the second part."""

    def __init__(self):
        self.losses, self.parts, self.killed = list[str](), 0, 0

    @override
    def read(self, done):
        self.parts += 1
        if self.parts >= 2 and not self.losses:
            for process in ray_workers("_perform"):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()

    @override
    def lost(self, job, failure, resumes_after):
        self.losses.append(job.name)


def test_ray_chooses_the_same_to_the_bit_and_a_killed_worker_costs_its_part(cluster, tmp_path):
    path, network = write(tmp_path / "pool.parquet", 20), trained_network()
    here = work_on(path, network, "badge", labelled=labelled_objects())
    there = replace(here, options=replace(here.options, execution=ON_RAY))
    listener = Listener()
    assert same(choose_with(here), choose_with(there, listener))
    assert listener.parts == 20
    assert listener.losses


def test_what_is_wrong_with_a_part_is_said_as_in_this_process(cluster, tmp_path):
    path, network = write(tmp_path / "pool.parquet", 4), trained_network()
    work = work_on(path, network, execution=ON_RAY)
    path.unlink()
    with pytest.raises(PoolError, match="and is gone, or is not there on every node"):
        choose_with(work)
