"""What a call to Ray returned or raised, as an event for the driver."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import ray
from ray.exceptions import (
    ActorUnavailableError,
    GetTimeoutError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayTaskError,
    WorkerCrashedError,
)

from alray.studies.events import Failure, describe
from alray.studies.sweep.jobs import Progress

LOSSES = (
    RayActorError,  # also of actors that have died or cannot be reached
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    WorkerCrashedError,
)
"""What Ray raises where a worker was lost."""


def actor_replies(
    reference: Any, jobs: Mapping[int, str], host: str, timeout: float | None = None
) -> Mapping[int, Progress | Failure]:
    """Return an actor's reply as an event for each of its jobs; an error of the actor is that of all of them."""
    try:
        reports: Mapping[int, Progress | Failure] = ray.get(reference, timeout=timeout)
    except LOSSES as error:
        return {row: loss(error, job, host) for row, job in jobs.items()}
    except GetTimeoutError:
        return {row: Failure(job, "it did not answer in time", host) for row, job in jobs.items()}
    except RayTaskError as error:
        return {row: failure(error, job, host) for row, job in jobs.items()}
    return {row: replace(report, host=host) for row, report in reports.items()}


def loss(error: BaseException, job: str, host: str) -> Failure:
    """Return the event of a worker's death."""
    out_of_memory = isinstance(error, OutOfMemoryError)
    return Failure(job, cause_of_death(error), host, out_of_memory=out_of_memory)


def failure(error: RayTaskError, job: str, host: str) -> Failure:
    """Return the event of a job's own error."""
    return Failure(job, describe(error.cause), host, str(error), died=False)


def cause_of_death(error: BaseException) -> str:
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


def reason(error: BaseException) -> str:
    """Return the line of Ray's report that says why: how a process ended, or a traceback's last line.

    Ids of actors, nodes and owners are left out: they mean nothing to the user.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    ends = [line for line in lines if line.startswith("The actor is dead")]
    line = (ends or lines or [type(error).__name__])[-1]
    line = re.split(r" Some common causes| Owner Id:| Node IP:| The task may or may not", line)[0]
    return re.sub(r" ?\b[0-9a-f]{24,}\b", "", line)
