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

from alray.executor import Failed, Lost, Progress, describe
from alray.ray_executor.session import LOSSES, reason


@dataclass(frozen=True)
class Player:
    """An actor that is up, and its node's name."""

    actor: Any
    host: str


@dataclass(frozen=True)
class Playing:
    """A job under way: its name alone, as its state, some megabytes, is the actor's now."""

    player: Player
    job: str


def answer(
    reference: Any, playing: Playing, timeout: float | None = None
) -> Progress | Failed | Lost:
    """Turn what an actor has answered into an event."""
    job, host = playing.job, playing.player.host
    try:
        progress: Progress = ray.get(reference, timeout=timeout)
    except LOSSES as error:
        return Lost(job, how(error), host, crowded=isinstance(error, OutOfMemoryError))
    except GetTimeoutError:
        return Lost(job, "it did not answer in time", host)
    except RayTaskError as error:
        return Failed(job, describe(error.cause), str(error), host)
    return replace(progress, host=host)


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
