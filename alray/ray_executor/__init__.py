"""The Ray side, and the only one that imports Ray: the pool once per node, actors for runs, tasks for fine-tunes."""

from alray.ray_executor.actors import ActorExecutor
from alray.ray_executor.tasks import TaskExecutor

__all__ = ["ActorExecutor", "TaskExecutor"]
