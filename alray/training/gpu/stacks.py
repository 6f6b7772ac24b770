"""The stacks of a process: one for each kind of learner that its runs have."""

from alray.networks.tensors import PoolTensors
from alray.settings.common import ModelSpec
from alray.training.gpu.stack import Stack, can_stack
from alray.training.learner import Learner


class Stacks:
    """The stacks of a process as the runs of one row see them, to place their learners there."""

    def __init__(
        self, rows: int, row: int = 0, stacks: dict[tuple[object, ...], Stack] | None = None
    ) -> None:
        """Take a row of so many; `stacks` are those that rows share."""
        self._rows, self._row = rows, row
        self._stacks = {} if stacks is None else stacks

    def for_row(self, row: int) -> "Stacks":
        """Return the same stacks for another row."""
        return Stacks(self._rows, row, self._stacks)

    def place(self, learner: Learner, model: ModelSpec, pool: PoolTensors) -> None:
        """Place a learner in this row of the stack of its kind, if it can train in one."""
        if not can_stack(learner):
            return
        settings = model.model_dump_json(), learner.spec.model_dump_json()
        key = (*settings, pool.pool.class_count, *pool.arrays_seen())
        if key not in self._stacks:
            self._stacks[key] = Stack(self._rows, learner, pool)
        self._stacks[key].place(learner, self._row, pool)
