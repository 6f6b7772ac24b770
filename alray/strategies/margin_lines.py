"""Objects on a line for each class, ordered by their margin to it, and where labels change on them (for GALAXY)."""

import heapq
from bisect import bisect_left
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from jaxtyping import Float
from torch import Tensor

Places = npt.NDArray[np.int32]

CONFIDENCE = 1e-8
"""Share of the largest probability that orders objects of the predicted class, whose margin is zero."""


class MarginLines:
    """The lines of all classes; labels become known one after the other."""

    def __init__(
        self,
        log_probs: Float[Tensor, "n c"],
        labels: npt.NDArray[np.int64],
        rng: np.random.Generator,
    ) -> None:
        """Take the log-probabilities of unlabelled objects and, behind them, of those with these labels."""
        self._rng = rng
        self._labels = np.full(len(log_probs), -1, dtype=np.int64)
        first = len(log_probs) - len(labels)
        self._labels[first:] = labels
        self._objects, self._places = _ordered(log_probs, rng)
        self._known = [np.sort(places[first:]).tolist() for places in self._places]
        # Open stretches: length, a number that decides between equal ones, class, and the places of both ends.
        self._stretches: list[tuple[int, float, int, int, int]] = []
        for line, known in enumerate(self._known):
            for left, right in pairwise(known):
                self._add(line, left, right)

    def know(self, position: int, label: int) -> None:
        """Give an object its label."""
        self._labels[position] = label
        for line, known in enumerate(self._known):
            place = int(self._places[line][position])
            at = bisect_left(known, place)
            if at > 0:
                self._add(line, known[at - 1], place)
            if at < len(known):
                self._add(line, place, known[at])
            known.insert(at, place)

    def next(self) -> int | None:
        """Return the position of the object to ask about, None where labels change nowhere."""
        while self._stretches:
            _, _, line, left, right = heapq.heappop(self._stretches)
            known = self._known[line]
            if known[bisect_left(known, left) + 1] == right:
                return int(self._objects[line][(left + right) // 2])
        return self._nearest_to_a_change()

    def _add(self, line: int, left: int, right: int) -> None:
        """Keep a stretch between two neighbouring labelled objects, if it is open."""
        if right - left > 1 and self._belongs(line, left) != self._belongs(line, right):
            entry = (right - left, float(self._rng.random()), line, left, right)
            heapq.heappush(self._stretches, entry)

    def _belongs(self, line: int, place: int) -> bool:
        return bool(self._labels[self._objects[line][place]] == line)

    def _nearest_to_a_change(self) -> int | None:
        nearest, found = len(self._labels) + 1, set[int]()
        for line, known in enumerate(self._known):
            places = np.array(known, dtype=np.int64)
            belongs = self._labels[self._objects[line][places]] == line
            for place, distance in _beside_changes(places, belongs, len(self._labels)):
                if distance < nearest:
                    nearest, found = distance, set()
                if distance == nearest:
                    found.add(int(self._objects[line][place]))
        return int(self._rng.choice(sorted(found))) if found else None


def _ordered(
    log_probs: Float[Tensor, "n c"], rng: np.random.Generator
) -> tuple[list[Places], list[Places]]:
    """Return for each line the object at each place, and the place of each object; equal ones lie in a random order."""
    probs = log_probs.exp()
    highest = probs.amax(1).double().numpy()
    mixed = rng.permutation(len(probs)).astype(np.int32)
    objects, places = [], []
    for number in range(1 if probs.shape[1] == 2 else probs.shape[1]):
        key = probs[:, number].double().numpy() - highest + CONFIDENCE * highest
        at_place = mixed[np.argsort(key[mixed], kind="stable")]
        of_object = np.empty_like(at_place)
        of_object[at_place] = np.arange(len(at_place), dtype=np.int32)
        objects.append(at_place)
        places.append(of_object)
    return objects, places


def _beside_changes(
    places: npt.NDArray[np.int64], belongs: npt.NDArray[np.bool_], length: int
) -> list[tuple[int, int]]:
    """Return the unlabelled places beside each run of labelled ones in which labels change.

    With each is its distance to the nearest object that has the other label than its neighbour.
    """
    run = np.concatenate([[0], np.cumsum(np.diff(places) > 1)])
    changes = np.flatnonzero((np.diff(places) == 1) & (belongs[1:] != belongs[:-1]))
    found: list[tuple[int, int]] = []
    if len(changes) == 0:
        return found
    runs, firsts = np.unique(run[changes], return_index=True)
    lasts = np.append(firsts[1:], len(changes)) - 1
    for each, first, last in zip(runs, changes[firsts], changes[lasts], strict=True):
        start, end = np.searchsorted(run, each), np.searchsorted(run, each, side="right") - 1
        before, behind = int(places[start]) - 1, int(places[end]) + 1
        if before >= 0:
            found.append((before, int(places[first]) + 1 - before))
        if behind < length:
            found.append((behind, behind - int(places[last])))
    return found
