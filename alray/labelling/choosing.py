"""Choose objects to label from a pool of any size, by a network that is trained: `alray.choose`."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alray.custom.code import custom_model
from alray.custom.finding import find_code
from alray.errors import SpecError
from alray.pools.ids import IdSet
from alray.pools.reading_parts import candidate_pool
from alray.settings.base import validate
from alray.settings.common import PoolSpec
from alray.strategies import custom_name
from alray.strategies.objects import text_of
from alray.studies.choosing.checks import check_network, check_room
from alray.studies.choosing.choice import Choice
from alray.studies.choosing.driver import ChoosingDriver
from alray.studies.choosing.observer import ChoosingObserver
from alray.studies.choosing.part_worker import PartDone, PartJob, PartWorker, make_part_worker
from alray.studies.choosing.rule import rule_of
from alray.studies.choosing.trained import TrainedNetwork
from alray.studies.choosing.work import ChoiceOptions, Choosing
from alray.studies.executor import Executor
from alray.studies.inline import InlineExecutor
from alray.studies.notebook_progress import ChoosingProgress, in_notebook
from alray.studies.retries import HERE

_logger = logging.getLogger(__name__)


def choose(
    pool: str | Path | Mapping[str, Any] | PoolSpec,
    number: int,
    trained: TrainedNetwork | str | Path,
    strategy: Any = "margin",
    options: ChoiceOptions | None = None,
    observer: ChoosingObserver | None = None,
) -> Choice:
    """Choose objects without a label from a pool that need not fit in memory.

    The pool's files are read a part at a time, by as many tasks as there are CPUs, on a laptop or a cluster. What is
    chosen depends neither on their number nor on how the files are cut into row groups. Notes go to the logger `alray`.

    Args:
        pool: A Parquet file, a folder, a pattern or an address, or settings of a pool. On a cluster every node must be
            able to read it.
        number: Objects to choose.
        trained: The network, or a file of it.
        strategy: A strategy that scores each object alone, or one that compares objects: it chooses from a short list.
        options: Ids that may not be chosen, the seed, where it runs, and others.
        observer: Learns what happens. None: a notebook shows progress, and other programs show nothing.

    Raises:
        AlrayError: Something in the arguments, the pool or the cluster prevents it.
    """
    given, text = options or ChoiceOptions(), text_of(strategy)
    rule = rule_of(text, number, given.shortlist)
    network = trained if isinstance(trained, TrainedNetwork) else _read(Path(trained))
    check_network(rule, text, network)
    excluded = given.exclude if callable(given.exclude) else IdSet(given.exclude)
    candidates = candidate_pool(_pool_spec(pool), network.shapes, excluded)
    check_room(rule, number, min(given.shortlist, candidates.files.rows))
    code = find_code(filter(None, [custom_model(network.model.name), custom_name(text)]))
    if observer is None and in_notebook():
        observer = ChoosingProgress()
    found = choose_with(Choosing(candidates, network, text, number, given, code), observer)
    for note in found.notes:
        _logger.warning(note)
    return found


def choose_with(work: Choosing, observer: ChoosingObserver | None = None) -> Choice:
    """Do the same with all that is needed at hand."""
    driver = ChoosingDriver(work, [] if observer is None else [observer])
    return driver.choose(lambda: start_parts(work))


def start_parts(work: Choosing) -> Executor[PartJob, PartDone]:
    """Return the executor that is asked for; Ray is imported only if it is Ray."""
    if work.execution.executor == "inline":
        return InlineExecutor(lambda: PartWorker(work, work.checksum(), HERE))
    from alray.ray_executor.tasks import TaskExecutor  # noqa: PLC0415 -- seconds that inline need not pay

    return TaskExecutor(work, work.execution, make_part_worker)


def _pool_spec(pool: str | Path | Mapping[str, Any] | PoolSpec) -> PoolSpec:
    if isinstance(pool, PoolSpec):
        return pool
    values = pool if isinstance(pool, Mapping) else {"source": str(pool)}
    return validate(PoolSpec, values, "the pool")


def _read(path: Path) -> TrainedNetwork:
    try:
        return TrainedNetwork.from_bytes(path.read_bytes())
    except OSError as error:
        raise SpecError(
            f"{path}: cannot be read ({error.strerror}); name the file of a trained network"
        ) from None
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None
