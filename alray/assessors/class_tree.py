"""A tree of classes, and the sets of classes that yes/no questions are about: its nodes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import linkage

from alray.errors import SpecError
from alray.settings.base import nearest
from alray.settings.questions import ClassSet

Sets = npt.NDArray[np.bool_]
"""(questions, classes): true where a class belongs to what is asked about."""

WITH_ALL_BELOW = " and all below it"
"""What the name of a node ends with that is a class itself."""

DECIMALS = 6
"""Of class means: sums in another order, on another processor, still give the same tree."""


@dataclass(frozen=True, eq=False)
class Questions:
    """All questions about classes: is it in this set?

    Attributes:
        sets: Each once; nodes of the tree first, then every single class in the order of classes.
        names: Of each set; "" where it has none, as a single class or a node that was built.
    """

    sets: Sets
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.sets)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.sets.shape[1])

    @property
    def first_single(self) -> int:
        """The question about the first class alone; those about the others follow."""
        return len(self.sets) - self.classes

    @cached_property
    def members(self) -> tuple[tuple[int, ...], ...]:
        """The classes of each question."""
        return tuple(tuple(np.flatnonzero(row).tolist()) for row in self.sets)


def questions_of(sets: Sequence[ClassSet], classes: int) -> Questions:
    """Return the questions about these sets and every single class; equal sets, and those of all classes, are no more.

    Args:
        sets: A name and the classes of each.
        classes: How many classes there are, two at least.
    """
    names: dict[tuple[int, ...], str] = {}
    for name, members in sets:
        if 1 < len(members) < classes:
            names.setdefault(tuple(sorted(members)), name)
    found = np.zeros((len(names) + classes, classes), dtype=bool)
    for row, members in enumerate(names):
        found[row, list(members)] = True
    found[len(names) :] = np.eye(classes, dtype=bool)
    return Questions(found, (*names.values(), *[""] * classes))


def sets_of_names(classes: Sequence[str], separator: str) -> list[ClassSet]:
    """Return the sets of a tree that is in the names: `animals/birds` lies below `animals`.

    Raises:
        SpecError: No two classes have a beginning in common, so that there is no tree.
    """
    below: dict[str, list[int]] = {}
    for code, name in enumerate(classes):
        parts = name.split(separator)
        # A class that others lie below belongs to its own node.
        for depth in range(1, len(parts) + 1):
            below.setdefault(separator.join(parts[:depth]), []).append(code)
    sets = _named({name: codes for name, codes in below.items() if len(codes) > 1}, classes)
    if not any(len(codes) < len(classes) for _, codes in sets):
        raise SpecError(
            f"questions.tree: names finds no tree: no two of the classes ({', '.join(classes[:3])}, ...) have a part "
            f"before {separator!r} in common; give questions.separator, a file, or questions.tree=features"
        )
    return _larger_first(sets)


def sets_of_parents(
    rows: Sequence[tuple[str, str]], classes: Sequence[str], file: str
) -> list[ClassSet]:
    """Return the sets of a tree that a table gives.

    Args:
        rows: Class (or node) and its parent, "" for the root; a root that is only named as a parent needs no row.
        classes: The pool's.
        file: Where the rows are from, for messages.

    Raises:
        SpecError: It is no tree over these classes; names the column and the value.
    """
    repeated = [name for name, times in Counter(name for name, _ in rows).items() if times > 1]
    if repeated:
        raise SpecError(
            f"{file}: column class has {repeated[0]!r} more than once; a node of a tree has one parent"
        )
    parents = dict(rows)
    parents |= {parent: "" for parent in parents.values() if parent and parent not in parents}
    _check_root(parents, file)
    ancestors = {name: _ancestors(name, parents, file) for name in parents}
    _check_classes(parents, classes, file)
    members: dict[str, list[int]] = {}
    for code, name in enumerate(classes):
        for node in (name, *ancestors[name]):
            members.setdefault(node, []).append(code)
    return _larger_first(_named(members, classes))


def built_sets(means: npt.NDArray[np.float64]) -> list[ClassSet]:
    """Return the sets of a tree that joins near classes first (Ward 1963): two below each node.

    Args:
        means: (classes, d) mean features of each class.
    """
    classes = len(means)
    if classes < 3:
        return []
    nodes: list[tuple[int, ...]] = [(code,) for code in range(classes)]
    for one, other in linkage(means.round(DECIMALS), "ward")[:, :2].astype(int):
        nodes.append(tuple(sorted(nodes[one] + nodes[other])))
    return _larger_first([("", node) for node in nodes[classes:-1]])


def _named(nodes: Mapping[str, Sequence[int]], classes: Sequence[str]) -> list[ClassSet]:
    """Return the sets of nodes; one that is a class itself, with others below it, is told from that class alone."""
    known = set(classes)
    return [
        (f"{name}{WITH_ALL_BELOW}" if name in known and len(codes) > 1 else name, tuple(codes))
        for name, codes in nodes.items()
    ]


def _larger_first(sets: Sequence[ClassSet]) -> list[ClassSet]:
    """Return sets in an order that does not depend on how they were found: of equal questions the first is asked."""
    return sorted(sets, key=lambda each: (-len(each[1]), each[1]))


def _check_root(parents: Mapping[str, str], file: str) -> None:
    roots = sorted(name for name, parent in parents.items() if not parent)
    if len(roots) > 1:
        raise SpecError(
            f"{file}: column parent leaves {len(roots)} nodes without a parent: {', '.join(map(repr, roots[:5]))}; "
            "a tree has one root, so give them a common parent"
        )
    if not roots:
        raise SpecError(
            f"{file}: column parent gives every node a parent, so there is a cycle and no root; leave the root's "
            "parent empty"
        )


def _ancestors(name: str, parents: Mapping[str, str], file: str) -> list[str]:
    """Return the nodes above one, the nearest first."""
    path = [name]
    while parents[path[-1]]:
        above = parents[path[-1]]
        if above in path:
            circle = " -> ".join(map(repr, [*path[path.index(above) :], above]))
            raise SpecError(f"{file}: column parent has a cycle: {circle}")
        path.append(above)
    return path[1:]


def _check_classes(parents: Mapping[str, str], classes: Sequence[str], file: str) -> None:
    missing = [name for name in classes if name not in parents]
    if missing:
        near = nearest(missing[0], parents)
        hint = f"; did you mean it by {near!r}?" if near else ""
        raise SpecError(
            f"{file}: column class lacks {len(missing)} of the pool's {len(classes)} classes, such as {missing[0]!r}"
            f"{hint}"
        )
    inner, known = set(parents.values()), set(classes)
    strangers = sorted(name for name in parents if name not in inner and name not in known)
    if strangers:
        near = nearest(strangers[0], classes)
        hint = f"; did you mean {near!r}?" if near else "; leave its row out"
        raise SpecError(
            f"{file}: column class has {strangers[0]!r}, below which nothing lies and which is no class of the pool"
            f"{hint}"
        )
