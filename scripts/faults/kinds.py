"""The faults: what each does, how it is made good, and what people should see of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from faults import processes
from faults.cluster import STORE
from faults.command import KILLED
from faults.scene import Scene

Act = Callable[[Scene, int], object]
"""Something that is done to a scene, or to one of its nodes."""

SMALL_STORE = 80
"""MiB; the smallest that Ray makes has 75."""


def nothing(_scene: Scene, _node: int) -> None:
    """What passes by itself is not made good."""


@dataclass(frozen=True)
class Kind:
    """A fault.

    Attributes:
        title: What people call it.
        weight: How often it is tried, in proportion to others.
        strike: Does it.
        repair: Ends it.
        restore: Makes the cluster whole again, once runs go on.
        lasts: Seconds from the one to the other.
        nodes: Where it may happen.
        exit_code: The command's, None where it goes on.
        says: What people must be told; a regular expression.
        refused: Whether it happens while the command does not run, and keeps it from starting.
    """

    title: str
    weight: int
    strike: Act
    repair: Act = nothing
    restore: Act = nothing
    lasts: float = 0.0
    nodes: tuple[int, ...] = (1, 2)
    exit_code: int | None = None
    says: str = ""
    refused: bool = False


def _kill_worker(scene: Scene, node: int) -> None:
    for player in scene.cluster.players(node):
        processes.send(player)


def _kill_raylet(scene: Scene, node: int) -> None:
    for raylet in scene.cluster.raylets(node):
        processes.send(raylet)


def _kill_head(scene: Scene, _node: int) -> None:
    for head in scene.cluster.heads():
        processes.send(head)


def _up(scene: Scene, _node: int) -> None:
    scene.cluster.up()


def _up_once_ended(scene: Scene, node: int) -> None:
    scene.cluster.await_end(node)
    scene.cluster.up()


def _new_cluster(scene: Scene, _node: int) -> None:
    scene.cluster.restart()


def _small_memory_disk(scene: Scene, node: int) -> None:
    scene.cluster.stop_ray(node)
    scene.cluster.on(node, "mount", "-o", "remount,size=64m", "/dev/shm")
    scene.cluster.up()


def _usual_memory_disk(scene: Scene, node: int) -> None:
    scene.cluster.stop_ray(node)
    scene.cluster.on(node, "mount", "-o", f"remount,size={STORE + 64}m", "/dev/shm")
    scene.cluster.up()


def _small_store(scene: Scene, node: int) -> None:
    scene.cluster.stop_ray(node)
    scene.cluster.up(SMALL_STORE)


def _usual_store(scene: Scene, node: int) -> None:
    # Killed: for a while the cluster lists the node as it was beside the new one.
    scene.cluster.call("kill", str(node))
    scene.cluster.up()


DIED = r"^(node\d: )?worker died \("

KINDS: Mapping[str, Kind] = {
    "worker": Kind("a worker's process killed", 10, _kill_worker, nodes=(0, 1, 2), says=DIED),
    "raylet": Kind("a node's raylet killed", 5, _kill_raylet, restore=_up, says=DIED),
    "node": Kind(
        "a whole node killed",
        6,
        lambda scene, node: scene.cluster.call("kill", str(node)),
        restore=_up,
        says=DIED,
    ),
    "cut-5": Kind(
        "a link cut for 5 s",
        6,
        lambda scene, node: scene.cluster.call("cut", str(node)),
        lambda scene, node: scene.cluster.call("mend", str(node)),
        lasts=5.0,
    ),
    "cut-90": Kind(
        "a link cut for 90 s",
        2,
        lambda scene, node: scene.cluster.call("cut", str(node)),
        lambda scene, node: scene.cluster.call("mend", str(node)),
        _up_once_ended,
        lasts=90.0,
        says=DIED,
    ),
    "driver": Kind(
        "the driver killed",
        5,
        lambda scene, _: scene.command.kill(),
        nodes=(0,),
        exit_code=KILLED,
    ),
    "ctrl-c": Kind(
        "Ctrl-C",
        5,
        lambda scene, _: scene.command.interrupt(),
        nodes=(0,),
        exit_code=130,
        says="^stopped; the same command goes on from here$",
    ),
    "head": Kind(
        "the cluster's head killed",
        2,
        _kill_head,
        _new_cluster,
        nodes=(0,),
        exit_code=2,
        says=r"^error: the cluster's head \(\S+\) is gone: ",
    ),
    "own-raylet": Kind(
        "the driver's own raylet killed",
        2,
        _kill_raylet,
        _new_cluster,
        nodes=(0,),
        exit_code=2,
        says=r"^error: Ray on this program's own node \(\S+\) has ended: ",
    ),
    "head-node": Kind(
        "the head's node and driver killed",
        2,
        lambda scene, _: scene.cluster.call("kill", "0"),
        _new_cluster,
        nodes=(0,),
        exit_code=KILLED,
    ),
    "full": Kind(
        "the disk of the results full",
        2,
        lambda scene, _: scene.disk.fill(),
        lambda scene, _: scene.disk.enlarge(),
        nodes=(0,),
        exit_code=2,
        says="^error: cannot write .*: No space left on device; what is there already stays valid",
    ),
    "read-only": Kind(
        "the results made read-only",
        2,
        lambda scene, _: scene.disk.protect(scene.cluster, scene.folder),
        lambda scene, _: scene.disk.unprotect(scene.cluster, scene.folder),
        nodes=(0,),
        exit_code=2,
        says="^error: cannot write .*: Read-only file system; what is there already stays valid",
    ),
    "memory-disk": Kind(
        "a node with a /dev/shm of 64 MB",
        1,
        _small_memory_disk,
        _usual_memory_disk,
        exit_code=2,
        says=r"^error: node node\d: /dev/shm has 0\.06 GiB, the pool needs ",
        refused=True,
    ),
    "store": Kind(
        "a node with a small object store",
        1,
        _small_store,
        _usual_store,
        exit_code=2,
        says=r"^error: node node\d: its object store has 0\.08 GiB, the pool needs ",
        refused=True,
    ),
}
