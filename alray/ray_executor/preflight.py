"""What is checked on every node of a joined cluster before anything expensive: versions, memory and disk, clocks."""

import runpy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from alray.errors import ClusterError
from alray.studies import machine as facts_module
from alray.studies.machine import MISSING, node_facts

ANSWER_SECONDS = 60.0
"""How long a node may take to answer; its first worker process has to start."""

CLOCK_SECONDS = 5.0
"""Smaller differences of clocks are not reported: records carry times, but nothing depends on them."""

DISK_BYTES = 2 * 2**30
"""Less free disk than this is reported: Ray stops working where its disk is full."""

MUST_AGREE = ("alray", "alray's source", "Python", "torch")
"""Where these differ, results may; other packages get a warning."""


STORE_FACTOR = 1.5
"""A node must hold this many times the pool: a full object store would spill to disk without saying so."""


@dataclass(frozen=True)
class Question:
    """A node that was asked, as Ray describes it, the reference of its answer to come, and when it was asked."""

    node: Mapping[str, Any]
    reference: Any
    asked: float


@dataclass(frozen=True)
class Answer:
    """A node's facts, and when they came: the clock was read between the two times."""

    node: Mapping[str, Any]
    facts: Mapping[str, Any]
    asked: float
    answered: float


@dataclass
class Preflight:
    """Asks each node once, and checks its facts.

    Attributes:
        pool_bytes: Size of the pool that every node will hold.
        alive: Returns the nodes that are up, as Ray describes them.
        warn: Is called with each thing that is odd and no obstacle.
    """

    pool_bytes: int
    alive: Callable[[], Sequence[Mapping[str, Any]]]
    warn: Callable[[str], None]
    _own: Mapping[str, str] = field(default_factory=lambda: node_facts("/")["versions"])
    _asked: dict[str, Question] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)
    _passed: set[str] = field(default_factory=set)

    def check_all(self) -> None:
        """Wait for the answer of every node.

        Raises:
            ClusterError: Nodes do not fit the driver or the pool, or do not answer.
        """
        answers: dict[str, Answer] = {}
        waiting = {node["NodeID"]: node["NodeManagerHostname"] for node in self.alive()}
        deadline = time.monotonic() + ANSWER_SECONDS
        while waiting and time.monotonic() < deadline:
            self._ask_new()
            if self._asked:
                ray.wait([question.reference for question in self._asked.values()], timeout=0.5)
            answers.update(self._answers())
            up = {node["NodeID"] for node in self.alive()}
            waiting = {
                one: host for one, host in waiting.items() if one in up and one not in answers
            }
        if waiting:
            raise ClusterError(
                f"{', '.join(sorted(waiting.values()))} did not answer within {ANSWER_SECONDS:.0f} s: end Ray there, "
                "or see why no worker process can start (/tmp/ray/session_latest/logs)"
            )
        require_equal_versions(self._own, [answer.facts for answer in answers.values()])
        for name, answer in answers.items():
            self._check(name, answer)

    def check_new(self) -> None:
        """Ask nodes that have joined since, and check those that have answered; excludes misfits, and never waits."""
        self._ask_new()
        for name, answer in self._answers().items():
            try:
                require_equal_versions(self._own, [answer.facts])
                self._check(name, answer)
            except ClusterError as error:
                self.warn(f"{error}. The study goes on without {answer.facts['host']}")

    def unchecked(self) -> frozenset[str]:
        """Return the ids of nodes that are up and have not passed: nothing should run there."""
        return frozenset(str(node["NodeID"]) for node in self.alive()) - self._passed

    def _ask_new(self) -> None:
        for node in self.alive():
            name = node["NodeID"]
            if name not in self._known:
                self._known.add(name)
                self._asked[name] = Question(node, ask(node), time.time())

    def _answers(self) -> dict[str, Answer]:
        """Return the answers that have come; a node that died instead is no node any more."""
        answers = {}
        for name, question in list(self._asked.items()):
            if not ray.wait([question.reference], timeout=0)[0]:
                continue
            del self._asked[name]
            try:
                facts = ray.get(question.reference)
                answers[name] = Answer(question.node, facts, question.asked, time.time())
            except RayError:
                self._known.discard(name)
        return answers

    def _check(self, name: str, answer: Answer) -> None:
        require_object_store(answer.node, self.pool_bytes)
        require_shared_memory(answer.facts, self.pool_bytes)
        for warning in warnings_about(answer, self._own):
            self.warn(warning)
        self._passed.add(name)


def ask(node: Mapping[str, Any]) -> Any:
    """Start the small task on a node, and return its reference."""
    # A node's sockets are two folders below the session's.
    folder = str(PurePosixPath(node["ObjectStoreSocketName"]).parents[1])
    strategy = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    options: dict[str, Any] = {"num_cpus": 0, "max_retries": 0, "scheduling_strategy": strategy}
    # A function of no module that could be imported travels as code, so the node need not have alray.
    function = runpy.run_path(str(facts_module.__file__))["node_facts"]
    return ray.remote(**options)(function).remote(folder)


def require_equal_versions(own: Mapping[str, str], nodes: Sequence[Mapping[str, Any]]) -> None:
    """Refuse nodes whose runs might differ from those of this program.

    Raises:
        ClusterError: Lists the nodes and what each has.
    """
    found = []
    for facts in sorted(nodes, key=lambda facts: str(facts["host"])):
        has = facts["versions"]
        other = [name for name in MUST_AGREE if has[name] != own[name]]
        if has["alray"] == MISSING:
            found.append(f"{facts['host']} has no alray")
        elif other:
            found.append(f"{facts['host']} has {_versions(has, other)}")
    if not found:
        return
    raise ClusterError(
        f"nodes differ from this program ({_versions(own, MUST_AGREE)}): {'; '.join(found)}. Install the same wheel or "
        "checkout of alray in the Python that Ray runs on there (pip install), or leave these nodes out"
    )


def require_object_store(node: Mapping[str, Any], pool_bytes: int) -> None:
    """Refuse a node in whose object store the pool does not fit: Ray would move it to disk without saying so.

    Raises:
        ClusterError: Names the node, both sizes and the remedy.
    """
    needed = STORE_FACTOR * pool_bytes
    size = node["Resources"].get("object_store_memory", 0.0)
    if size < needed:
        raise ClusterError(
            f"node {node['NodeManagerHostname']}: its object store has {gib(size)}, the pool needs "
            f"{gib(needed)} ({STORE_FACTOR:g} times its size); start Ray with a larger --object-store-memory (in a "
            "container also --shm-size), or set pool.dtype: float16"
        )


def require_shared_memory(facts: Mapping[str, Any], pool_bytes: int) -> None:
    """Refuse a node whose /dev/shm cannot hold the pool: Ray would put its store on the disk.

    Raises:
        ClusterError: Names the node, both sizes and the remedy.
    """
    needed = STORE_FACTOR * pool_bytes
    size = facts["memory_disk"]
    if size is not None and size < needed:
        raise ClusterError(
            f"node {facts['host']}: /dev/shm has {gib(size)}, the pool needs {gib(needed)} there; in a "
            "container start it with a larger --shm-size, on Kubernetes mount an emptyDir with medium: Memory, "
            "or set pool.dtype: float16"
        )


def warnings_about(answer: Answer, own: Mapping[str, str]) -> list[str]:
    """Return what is odd about a node and no obstacle."""
    facts, host = answer.facts, answer.facts["host"]
    warnings = []
    if facts["disk_free"] is not None and facts["disk_free"] < DISK_BYTES:
        warnings.append(
            f"node {host}: {gib(facts['disk_free'])} are free on the disk of Ray's folder; Ray stops where it is full"
        )
    skew = max(answer.asked - facts["clock"], facts["clock"] - answer.answered)
    if skew > CLOCK_SECONDS:
        warnings.append(f"node {host}: its clock is at least {skew:.0f} s off from here")
    has = facts["versions"]
    other = [name for name in own if has[name] != own[name]]
    if other:
        warnings.append(
            f"node {host} has {_versions(has, other)}, here it is {_versions(own, other)}"
        )
    return warnings


def _versions(versions: Mapping[str, str], names: Sequence[str]) -> str:
    return ", ".join(f"{name} {versions[name]}" for name in names)


def gib(count: int | float) -> str:
    """Write a number of bytes."""
    return f"{count / 2**30:.2f} GiB"
