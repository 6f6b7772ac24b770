"""The faults: how each is injected and repaired, the message that a user should see, and a random plan of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chaos_study import processes
from chaos_study.cluster import KILLED, STORE, Cluster
from chaos_study.running import RunningStudy

Action = Callable[[RunningStudy, int], object]
"""Something that is done to a running study, or to one of its nodes."""

SMALL_STORE = 80
"""MiB; the smallest that Ray makes has 75."""

FIRST, LAST = 0.5, 8.0
"""Between these seconds after runs went on the next fault comes."""


def do_nothing(_study: RunningStudy, _node: int) -> None:
    """Repair a fault that ends by itself."""


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Attributes:
        title: In tables.
        weight: How often it is injected, in proportion to others.
        inject: Causes it.
        repair: Ends it.
        restore: Makes the cluster whole again, once runs go on.
        seconds: From the one to the other.
        nodes: Where it may happen.
        exit_code: The command's, None where it goes on.
        message: A regular expression that a line on the standard error must match.
        prevents_start: Whether it happens while the command does not run, and keeps it from starting.
    """

    title: str
    weight: int
    inject: Action
    repair: Action = do_nothing
    restore: Action = do_nothing
    seconds: float = 0.0
    nodes: tuple[int, ...] = (1, 2)
    exit_code: int | None = None
    message: str = ""
    prevents_start: bool = False


@dataclass(frozen=True)
class Fault:
    """A fault of one of the kinds that will happen on a node, `delay` seconds after runs went on."""

    kind: str
    node: int
    delay: float


def plan_faults(count: int, seed: int, names: Sequence[str]) -> list[Fault]:
    """Return this many faults of these kinds, each as often as its weight says, in random order."""
    rng = np.random.default_rng(seed)
    order = [name for name, times in _shares(count, names).items() for _ in range(times)]
    rng.shuffle(order)
    return [
        Fault(name, int(rng.choice(KINDS[name].nodes)), round(float(rng.uniform(FIRST, LAST)), 1))
        for name in order
    ]


def _shares(count: int, names: Sequence[str]) -> dict[str, int]:
    """Divide a number of faults by weight: next comes the kind furthest behind, so that every kind has one early."""
    times = dict.fromkeys(names, 0)
    for _ in range(count):
        behind = min(times, key=lambda name: times[name] / KINDS[name].weight)
        times[behind] += 1
    return times


def _kill(find: Callable[[Cluster, int], Sequence[int]]) -> Action:
    """Return an action that kills the processes that are found on a node."""

    def kill(study: RunningStudy, node: int) -> None:
        for process in find(study.cluster, node):
            processes.send(process)

    return kill


def _call(command: str) -> Action:
    """Return an action that calls a command of the script for nodes."""
    return lambda study, node: study.cluster.call(command, str(node))


def _up(study: RunningStudy, _node: int) -> None:
    study.cluster.up()


def _up_once_ended(study: RunningStudy, node: int) -> None:
    study.cluster.await_end(node)
    study.cluster.up()


def _new_cluster(study: RunningStudy, _node: int) -> None:
    study.cluster.restart()


def _memory_disk(mebibytes: int) -> Action:
    """Return an action that gives a node a /dev/shm of this size."""

    def remount(study: RunningStudy, node: int) -> None:
        study.cluster.stop_ray(node)
        study.cluster.on(node, "mount", "-o", f"remount,size={mebibytes}m", "/dev/shm")
        study.cluster.up()

    return remount


def _small_store(study: RunningStudy, node: int) -> None:
    study.cluster.stop_ray(node)
    study.cluster.up(SMALL_STORE)


def _usual_store(study: RunningStudy, node: int) -> None:
    # Killed: for a while the cluster lists the node as it was beside the new one.
    study.cluster.call("kill", str(node))
    study.cluster.up()


DIED = r"^(node\d: )?worker died \("

KINDS: Mapping[str, Kind] = {
    "worker": Kind(
        "a worker's process killed", 10, _kill(Cluster.workers), nodes=(0, 1, 2), message=DIED
    ),
    "raylet": Kind("a node's raylet killed", 5, _kill(Cluster.raylets), restore=_up, message=DIED),
    "node": Kind("a whole node killed", 6, _call("kill"), restore=_up, message=DIED),
    "cut-5": Kind("a link cut for 5 s", 6, _call("cut"), _call("mend"), seconds=5.0),
    "cut-90": Kind(
        "a link cut for 90 s",
        2,
        _call("cut"),
        _call("mend"),
        _up_once_ended,
        seconds=90.0,
        message=DIED,
    ),
    "driver": Kind(
        "the driver killed",
        5,
        lambda study, _: study.command.kill(),
        nodes=(0,),
        exit_code=KILLED,
    ),
    "ctrl-c": Kind(
        "Ctrl-C",
        5,
        lambda study, _: study.command.interrupt(),
        nodes=(0,),
        exit_code=130,
        message="^stopped; the same command goes on from here$",
    ),
    "head": Kind(
        "the cluster's head killed",
        2,
        _kill(Cluster.heads),
        _new_cluster,
        nodes=(0,),
        exit_code=2,
        message=r"^error: the cluster's head \(\S+\) is gone: ",
    ),
    "own-raylet": Kind(
        "the driver's own raylet killed",
        2,
        _kill(Cluster.raylets),
        _new_cluster,
        nodes=(0,),
        exit_code=2,
        message=r"^error: Ray on this program's own node \(\S+\) has ended: ",
    ),
    "head-node": Kind(
        "the head's node and driver killed",
        2,
        _call("kill"),
        _new_cluster,
        nodes=(0,),
        exit_code=KILLED,
    ),
    "full": Kind(
        "the disk of the results full",
        2,
        lambda study, _: study.disk.fill(),
        lambda study, _: study.disk.enlarge(),
        nodes=(0,),
        exit_code=2,
        message="^error: cannot write .*: No space left on device; everything written before stays valid",
    ),
    "read-only": Kind(
        "the results made read-only",
        2,
        lambda study, _: study.disk.protect(study.cluster, study.folder),
        lambda study, _: study.disk.unprotect(study.cluster, study.folder),
        nodes=(0,),
        exit_code=2,
        message="^error: cannot write .*: Read-only file system; everything written before stays valid",
    ),
    "memory-disk": Kind(
        "a node with a /dev/shm of 64 MB",
        1,
        _memory_disk(64),
        _memory_disk(STORE + 64),
        exit_code=2,
        message=r"^error: node node\d: /dev/shm has 0\.06 GiB, the pool needs ",
        prevents_start=True,
    ),
    "store": Kind(
        "a node with a small object store",
        1,
        _small_store,
        _usual_store,
        exit_code=2,
        message=r"^error: node node\d: its object store has 0\.08 GiB, the pool needs ",
        prevents_start=True,
    ),
}
