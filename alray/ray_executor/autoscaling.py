"""Clusters that start nodes by themselves: whether one does, and asking it for capacity."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ray.autoscaler.sdk import request_resources
from ray.autoscaler.v2.utils import is_autoscaler_v2
from ray.experimental.internal_kv import _internal_kv_get

from alray.ray_executor.liveness import free_resources
from alray.ray_executor.nodes import resources_of, slots

FIRST = 8
"""For how many runs capacity is asked for at first, where the most runs at a time are not given."""

ASK_SECONDS = 5.0
"""How often it is checked whether everything is taken."""

_STATUS = "__autoscaling_status"
"""Key under which the first autoscaler puts its status."""


def autoscales() -> bool:
    """Whether the cluster that this process has joined starts nodes for work that waits."""
    if is_autoscaler_v2(fetch_from_server=True):
        return True
    status = _internal_kv_get(_STATUS)
    return status is not None and names_node_types(json.loads(status))


def names_node_types(status: Mapping[str, Any]) -> bool:
    """Whether a status is that of an autoscaler with types of nodes to start.

    One without, which every head has for its statistics, makes up a type per node, named after it.
    """
    types = (status.get("autoscaler_report") or {}).get("node_type_mapping") or {}
    return any(kind != f"node_{node}" for node, kind in types.items())


@dataclass
class CapacityRequest:
    """The request to the autoscaler: capacity for the most runs, or twice what is there while all of it is taken.

    Attributes:
        options: What a run takes of a node, as options of `ray.remote`.
        most: Most runs at a time, None where that is not given.
    """

    options: Mapping[str, Any]
    most: int | None
    _asked: int = 0
    _checked: float = float("-inf")

    def update(self, fit: int) -> str | None:
        """Ask for more if that would be used, and return a notice for the user, if any; the nodes hold `fit` runs."""
        if time.monotonic() - self._checked < ASK_SECONDS:
            return None
        self._checked = time.monotonic()
        wanted = self.most or max(FIRST, 2 * fit)
        if wanted <= max(self._asked, fit) or (fit and slots(free_resources(), self.options)):
            return None
        self._ask(wanted)
        waiting = "" if fit else "; no node can hold a run yet, waiting"
        return f"asked the cluster for capacity for {wanted} runs{waiting}"

    def take_back(self) -> None:
        """Ask for nothing any more: idle nodes may end."""
        if self._asked:
            self._ask(0)

    def _ask(self, runs: int) -> None:
        request_resources(bundles=[resources_of(self.options)] * runs)
        self._asked = runs
