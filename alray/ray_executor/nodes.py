"""The nodes of a cluster by their host names, and on which of them workers should start."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alray.studies.retries import NOWHERE

NODE_ID = "ray.io/node-id"
"""Label that Ray gives every node."""


@dataclass(frozen=True)
class _Node:
    id: str
    name: str
    address: str
    slots: int


class Nodes:
    """What is known of the nodes that are up.

    A node goes by its host name; of several with the same one, the later ones have a number besides.

    Attributes:
        quarantined: Names of nodes on which no worker should start while there are others.
        starved: Names of nodes on which none has started for long, for want of capacity.
        limits: Most workers of a node, where that is less than its capacity.
    """

    def __init__(self) -> None:
        self._up: dict[str, _Node] = {}
        self._unchecked = NOWHERE
        self.quarantined = NOWHERE
        self.starved = NOWHERE
        self.limits: dict[str, int] = {}

    def update(
        self,
        alive: Sequence[Mapping[str, Any]],
        options: Mapping[str, Any],
        unchecked: frozenset[str] = NOWHERE,
    ) -> None:
        """Take over Ray's entries of the nodes that are up.

        A worker takes `options` of one; on the unchecked ones, given by their ids, nothing may run.
        """
        self._unchecked = unchecked
        alive = sorted(alive, key=lambda node: str(node["NodeID"]) not in self._up)
        up: dict[str, _Node] = {}
        for node in alive:
            node_id, host = str(node["NodeID"]), str(node["NodeManagerHostname"])
            known = self._up.get(node_id)
            name = known.name if known else _unused(host, {each.name for each in up.values()})
            address = str(node.get("NodeManagerAddress", ""))
            fit = 0 if node_id in unchecked else slots(node["Resources"], options)
            up[node_id] = _Node(node_id, name, address, fit)
        self._up = up
        self.limits = {name: most for name, most in self.limits.items() if name in self.names()}

    def names(self) -> frozenset[str]:
        """Return the names of all nodes that are up."""
        return frozenset(node.name for node in self._up.values())

    def name(self, node_id: str) -> str:
        """Return a node's name, "" where it is not up."""
        return self._up[node_id].name if node_id in self._up else ""

    def fits(self, node_id: str) -> bool:
        """Whether something may run on a node: it is up, and not barred."""
        return node_id in self._up and node_id not in self._unchecked

    def open(self) -> frozenset[str]:
        """Return the nodes on which a worker can be: all that can hold one, as far as they are not to be avoided."""
        hold = self.holding()
        return hold - self.quarantined - self.starved or hold - self.starved or hold

    def holding(self) -> frozenset[str]:
        """Return the nodes that are large enough for a worker."""
        return frozenset(node.name for node in self._up.values() if node.slots)

    def capacity(self, excluded: frozenset[str]) -> int:
        """Return how many workers all nodes but these can hold."""
        return sum(
            min(node.slots, self.limits.get(node.name, node.slots))
            for node in self._up.values()
            if node.name not in excluded
        )

    def excluded(self, avoid: frozenset[str], workers: Counter[str]) -> frozenset[str]:
        """Return the nodes on which no new worker should start: of those that should be excluded as many as leave one.

        On the nodes of `avoid` it would be of no use; `workers` counts the workers of each node.
        """
        full = frozenset(name for name, most in self.limits.items() if workers[name] >= most)
        hold = self.holding()
        for out in (full | avoid | self.quarantined, full | avoid, avoid, full):
            if hold - out - self.starved:
                return out & self.names()
        return NOWHERE

    def kept_from(self, excluded: frozenset[str]) -> dict[str, Any]:
        """Return the options of `ray.remote` that keep a worker from these nodes, and from those that are barred."""
        ids = sorted(
            {node.id for node in self._up.values() if node.name in excluded} | self._unchecked
        )
        if not ids:
            return {}
        # Of Ray's two ways this one holds: a label scheduling strategy let tasks start on nodes they are kept from.
        return {"label_selector": {NODE_ID: f"!in({','.join(ids)})"}}

    def named_in(self, report: str) -> str:
        """Return the node that a report of Ray names by id or address, "" where it names none for sure."""
        for node in self._up.values():
            if node.id in report:
                return node.name
        addresses = set(re.findall(r"\bip[:=]\s*([0-9a-f.:]+[0-9a-f])", report, re.IGNORECASE))
        found = [node.name for node in self._up.values() if node.address in addresses]
        return found[0] if len(found) == 1 else ""


def slots(resources: Mapping[str, float], options: Mapping[str, Any]) -> int:
    """Return how many workers with these options fit a node with these resources."""
    wanted = resources_of(options)
    return int(min(resources.get(name, 0.0) / amount for name, amount in wanted.items()))


def resources_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what options of `ray.remote` take, by the names that Ray has for resources."""
    names = {"CPU": "num_cpus", "GPU": "num_gpus", "memory": "memory"}
    return {name: options[option] for name, option in names.items() if options.get(option)}


def _unused(host: str, names: set[str]) -> str:
    number = 1
    name = host
    while name in names:
        number += 1
        name = f"{host} #{number}"
    return name
