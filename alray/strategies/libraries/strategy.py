"""The base of other libraries' strategies: what they ask of the engine, and what becomes of their answers."""

import warnings
from dataclasses import dataclass, fields
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from alray.custom.loading import describe_error
from alray.errors import SpecError
from alray.pools.pool import Indices
from alray.seeding import seeded_globals
from alray.strategies.base import BatchStrategy, Query
from alray.strategies.checking import describe_strategy
from alray.strategies.libraries.catalogue import Features, Known
from alray.strategies.libraries.complaints import quiet
from alray.strategies.libraries.given import NotGivenError, arrays_of
from alray.strategies.signals import Request, Signals

OURS = ("features", "unit_length")
"""Options that are alray's; all others are the library's."""


@dataclass(frozen=True)
class LibraryStrategy(BatchStrategy):
    """Asks another library's strategy; the classes that inherit from it are made by `classes.strategy_class`.

    Attributes:
        name: As users write it.
        origin: The library with its version.
        known: What the strategy is given.
        kind: The library's class.
        asking: The module that asks strategies of this library.
    """

    name: ClassVar[str]
    origin: ClassVar[str]
    known: ClassVar[Known]
    kind: ClassVar[Any]
    asking: ClassVar[ModuleType]

    def __post_init__(self) -> None:
        for option, example in self.known.required.items():
            if getattr(self, option) is None:
                raise SpecError(f"it needs the option {option}, such as {option}={example}")
        self._made(0, 2)

    @property
    @override
    def needs(self) -> Request:
        return Request(
            log_probs=bool(self.known.model) or self.known.classes,
            features=self._features == "last",
            pool_features=self._features == "pool",
            labelled=True,
        )

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        self.require_room(len(signals.candidates), "use another strategy, such as margin")
        # What a library takes by its position is then in the order of a permutation, never of the file.
        order = rng.permutation(len(signals.candidates))
        given = arrays_of(
            signals,
            order,
            self._features,
            unit_length=getattr(self, "unit_length", False),
            probabilities=self.needs.log_probs,
        )
        seed = int(rng.integers(2**31 - 1))
        made = self._made(seed, given.classes if self.known.classes else 2)
        try:
            with _one_thread(), quiet(), seeded_globals(seed):
                answer = self.asking.ask(made, self.known, given, k)
        except NotGivenError as error:
            raise RuntimeError(
                f"{describe_strategy(self)} cannot be an arm: {error}; alray gives other libraries probabilities and "
                "features that it has computed, never the model"
            ) from None
        except Exception as error:
            raise RuntimeError(
                f"{describe_strategy(self)} raised {describe_error(error)}"
            ) from error
        chosen = self._checked(answer, given.labelled, len(signals.candidates), k)
        return Query(signals.candidates[order[chosen]], np.full(k, np.nan))

    def require_room(self, candidates: int, instead: str) -> None:
        """Refuse more candidates than it can compare with each other.

        Args:
            candidates: How many it would have to choose from.
            instead: What the user can do about it.

        Raises:
            SpecError: Names both numbers, and what works.
        """
        most = self.known.most
        if most and candidates > most:
            raise SpecError(
                f"{describe_strategy(self)} compares all candidates with all, and {candidates:,} are more than the "
                f"{most:,} that alray lets it: {instead}"
            )

    @property
    def _features(self) -> Features | None:
        found: Features | None = getattr(self, "features", None)
        return found

    def _made(self, seed: int, classes: int) -> Any:
        options = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name not in OURS and getattr(self, field.name) != field.default
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.asking.make(self.kind, self.known, options, seed, classes)

    def _checked(self, answer: Any, labelled: int, candidates: int, k: int) -> Indices:
        """Return the positions among the candidates of an answer that is k of them.

        Raises:
            RuntimeError: Says what it is.
        """
        found = np.asarray(answer)
        if found.ndim != 1 or found.dtype.kind not in "iu":
            raise RuntimeError(
                f"{describe_strategy(self)} returned {found.dtype} of shape {found.shape} in the place of {k} positions"
            )
        positions = found.astype(np.int64) - labelled
        faults = {
            "of objects that do not exist": int(((found < 0) | (positions >= candidates)).sum()),
            "of labelled objects": int(((found >= 0) & (positions < 0)).sum()),
            "named before": len(found) - len(np.unique(found)),
        }
        wrong = ", ".join(f"{number} {what}" for what, number in faults.items() if number)
        if wrong or len(found) != k:
            raise RuntimeError(
                f"{describe_strategy(self)} returned {len(found)} positions in the place of {k} different candidates"
                f"{f' ({wrong})' if wrong else ''}; this is the library's own answer to {candidates:,} candidates and "
                f"{labelled:,} labelled objects"
            )
        return positions


def _one_thread() -> Any:
    """Return the context in which BLAS and OpenMP have one thread: several add their parts up in any order."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 -- scikit-learn's, which need not be installed

    return threadpool_limits(1)
