"""The pools of a sweep whose arms see its pool in several ways."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alray.pools.pool import Pool
from alray.settings.common import PoolSpec


@dataclass(frozen=True, eq=False)
class Pools:
    """A sweep's pool, and what else its arms see of it: other modalities, groups or copies of the same objects.

    Attributes:
        own: The pool of the study's own settings.
        others: By `what_differs`.
    """

    own: Pool
    others: Mapping[str, Pool] = field(default_factory=dict)

    def of(self, spec: PoolSpec) -> Pool:
        """Return the pool that an arm with these settings sees."""
        return self.others.get(what_differs(spec), self.own)


def what_differs(spec: PoolSpec) -> str:
    """Return what decides which pool an arm sees; the type of its features does not."""
    return repr((sorted(spec.modalities), spec.group_by, spec.copies))
