"""What actors have answered, as the driver understands it."""

from dataclasses import dataclass, replace
from typing import Any

import ray
from ray.exceptions import (
    ActorUnavailableError,
    GetTimeoutError,
    OutOfMemoryError,
    RayTaskError,
    WorkerCrashedError,
)

from alray.ray_executor.node_failures import NodeFailures
from alray.ray_executor.nodes import Nodes
from alray.ray_executor.session import LOSSES, reason
from alray.studies.events import Failed, Lost, Notice, describe
from alray.studies.sweep.executor import Progress


@dataclass(frozen=True)
class Actor:
    """An actor that is up, and its node's name."""

    handle: Any
    host: str


@dataclass(frozen=True)
class RunningJob:
    """A job under way: its name alone, as its state, some megabytes, is the actor's now."""

    actor: Actor
    job: str


def answer(
    reference: Any, running: RunningJob, timeout: float | None = None
) -> Progress | Failed | Lost:
    """Turn what an actor has answered into an event."""
    job, host = running.job, running.actor.host
    try:
        progress: Progress = ray.get(reference, timeout=timeout)
    except LOSSES as error:
        return Lost(job, how(error), host, out_of_memory=isinstance(error, OutOfMemoryError))
    except GetTimeoutError:
        return Lost(job, "it did not answer in time", host)
    except RayTaskError as error:
        return Failed(job, describe(error.cause), str(error), host)
    return replace(progress, host=host)


def note_loss(lost: Lost, others: int, nodes: Nodes, record: NodeFailures) -> list[Lost | Notice]:
    """Take down a loss, and have fewer workers on a node whose memory does not do for those that it had.

    Args:
        lost: The loss.
        others: How many further jobs its node has under way.
        nodes: Takes the node's limit.
        record: Takes losses that are held against the node.

    Returns:
        The loss, `out_of_memory` only where others were there, and what people should know.
    """
    if lost.out_of_memory and others:
        nodes.limits[lost.host] = others
        most = "one job runs" if others == 1 else f"{others} jobs run"
        text = (
            f"{lost.host} has run out of memory: at most {most} there from now on; --memory-per-run GIB keeps "
            "room for each"
        )
        return [lost, Notice(text)]
    told = record.lost(lost.host, lost.job, lost.reason)
    return [replace(lost, out_of_memory=False), *([Notice(told)] if told else [])]


def how(error: BaseException) -> str:
    """Return how a worker ended: of Ray's report the detail, where it has one."""
    if isinstance(error, OutOfMemoryError):
        return "Ray ended it because the node was running out of memory"
    line = reason(error)
    if isinstance(error, WorkerCrashedError) or "connection error code" in line:
        return "its process was killed or has crashed"
    if isinstance(error, ActorUnavailableError):
        return (
            "the connection to it broke: its process or its node has ended, or cannot be reached"
        )
    if "too many heartbeats" in line:
        return "its node was not heard of for too long"
    return line.partition("Worker exit detail: ")[2] or line
