"""What a custom strategy must be and must answer: messages name its class, its file and what was expected."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from alray.custom.loading import describe_error, file_of
from alray.errors import ScoreError, SpecError
from alray.pools.pool import Indices
from alray.settings.common import LossPredictionSpec
from alray.strategies.signals import Request, Signals

OF_DISTANCES = 32
"""Squared lengths that a squared distance and the terms of its sum come to at most, after a mean was taken away."""


def check_counts(strategy: object, *names: str) -> None:
    """Refuse options of a strategy that count something and are below 1.

    Raises:
        SpecError: Names the option and its value.
    """
    for name in names:
        if getattr(strategy, name) < 1:
            raise SpecError(f"{name} must be at least 1 (got {getattr(strategy, name)})")


def describe_strategy(strategy: object) -> str:
    """Return a strategy's class with its file, of another library with that library's version, for messages."""
    kind = type(strategy)
    return f"strategy {kind.__name__} ({getattr(kind, 'origin', None) or file_of(kind)})"


def check_attributes(strategy: Any) -> None:
    """Refuse a strategy whose attributes are not of the kinds that `Strategy` names.

    Raises:
        SpecError: Names the attribute, and what it must be.
    """
    wanted = "a property `needs` that returns alray.strategies.Request(log_probs=True), or what else it scores by"
    expected = {
        "needs": (Request, wanted),
        "loss_prediction": (LossPredictionSpec | None, "None, or a LossPredictionSpec"),
        "oracle": (bool, "True if it needs the labels, else False"),
    }
    for name, (kind, hint) in expected.items():
        try:
            value = getattr(strategy, name)
        except NotImplementedError:
            raise SpecError(
                f"{describe_strategy(strategy)} has no `{name}`: give it {hint}"
            ) from None
        except Exception as error:
            raise SpecError(
                f"{describe_strategy(strategy)}: its `{name}` raised {describe_error(error)}"
            ) from error
        if not isinstance(value, kind):
            raise SpecError(
                f"{describe_strategy(strategy)}: its `{name}` is {_kind(value)}; give it {hint}"
            )
    needs = strategy.needs
    if (needs.true_loss or needs.trial_loss) and not strategy.oracle:
        name = "true_loss" if needs.true_loss else "trial_loss"
        raise SpecError(
            f"{describe_strategy(strategy)}: its `needs` asks for {name}, which takes labels that are not bought, so "
            "it is an oracle: write `oracle: ClassVar[bool] = True` into the class"
        )


def checked_scores(strategy: object, scores: Any, signals: Signals) -> npt.NDArray[np.float64]:
    """Return a strategy's scores as (n,) float64, -inf and inf allowed.

    Raises:
        ScoreError: They are not a number per candidate.
    """
    n = len(signals.candidates)
    wanted = f"one number per candidate: a tensor of shape ({n},)"
    if not isinstance(scores, Tensor) or scores.is_complex() or scores.shape != (n,):
        raise ScoreError(
            f"{describe_strategy(strategy)}: score returned {_kind(scores)}, and must return {wanted}"
        )
    values: npt.NDArray[np.float64] = scores.detach().double().cpu().numpy()
    undefined = np.flatnonzero(np.isnan(values))
    if len(undefined) and _finite(signals):
        raise ScoreError(
            f"{describe_strategy(strategy)}: score returned NaN for {len(undefined)} of {n} candidates, and must "
            "return a number for each (infinities are ranked); the model's outputs that it was given are numbers"
        )
    return values


def check_finite(name: str, values: Tensor) -> None:
    """Refuse signals (n, ...) that are no finite numbers: distances and orders made of them would mean nothing.

    Raises:
        ScoreError: Says of how many objects these are, by this name in the plural.
    """
    _refuse(~torch.isfinite(values), f"the {name}", "not finite")


def check_distances(name: str, values: Tensor) -> None:
    """Refuse vectors (n, d) that are not finite, or so long that squared distances between them would not be.

    Raises:
        ScoreError: Says of how many objects these are, by this name in the plural.
    """
    check_finite(name, values)
    longest = math.sqrt(torch.finfo(values.dtype).max / OF_DISTANCES)
    objects = int((torch.linalg.vector_norm(values, dim=1) > longest).sum())
    if objects:
        raise ScoreError(
            f"the {name} of {objects} of {len(values)} objects are so large that squared distances between them may "
            "not be finite: the model's outputs grow without bounds; try a smaller training.lr"
        )


def check_no_nan(name: str, values: Tensor) -> None:
    """Refuse signals (n, ...) that are NaN; infinite ones may be: -inf is the logarithm of 0.

    Raises:
        ScoreError: Says of how many objects these are, by this name in the plural.
    """
    _refuse(torch.isnan(values), f"the {name}", "NaN")


def _refuse(wrong: Tensor, what: str, how: str) -> None:
    objects = int(wrong.flatten(1).any(1).sum())
    if objects:
        raise ScoreError(
            f"{what} of {objects} of {len(wrong)} objects are {how}: the model's outputs are not finite; try a smaller "
            "training.lr"
        )


def check_query(strategy: object, query: Any, candidates: Indices, k: int) -> None:
    """Refuse a query that is not k distinct candidates, each with a score.

    Raises:
        RuntimeError: Says what it is.
    """
    name = describe_strategy(strategy)
    if not (isinstance(query, tuple) and hasattr(query, "indices") and hasattr(query, "scores")):
        raise RuntimeError(
            f"{name}: select returned {_kind(query)}, and must return alray.strategies.Query(indices, scores)"
        )
    indices, scores = query
    if not _is_array(indices, "iu"):
        raise RuntimeError(
            f"{name}: select returned indices that are {_kind(indices)}, and must return a NumPy array of {k} pool "
            "indices, whole numbers taken from signals.candidates"
        )
    if not _is_array(scores, "iuf"):
        raise RuntimeError(
            f"{name}: select returned scores that are {_kind(scores)}, and must return a NumPy array of {k} numbers, "
            "NaN where there is no score"
        )
    known = indices[np.isin(indices, candidates)]
    distinct = len(set(known.tolist()))
    if not distinct == len(indices) == len(scores) == k:
        positions = len(indices) == k and indices.max() < len(candidates) and indices.min() >= 0
        hint = (
            "; if these are positions among the candidates, return signals.candidates[positions]"
            if positions
            else ""
        )
        raise RuntimeError(
            f"{name} returned {len(indices)} indices ({distinct} distinct candidates) and {len(scores)} scores instead "
            f"of {k}{hint}"
        )


def _is_array(value: object, kinds: str) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in kinds


def _finite(signals: Signals) -> bool:
    """Whether the network's outputs that a strategy was given are numbers; -inf is the logarithm of 0."""
    tensors = (value for value in vars(signals).values() if isinstance(value, Tensor))
    if any(bool(torch.isnan(tensor).any()) for tensor in tensors):
        return False
    # A side head has rows of NaN alone, where its modality is absent.
    undefined = [torch.isnan(tensor) for tensor in signals.side_log_probs.values()]
    return not any(bool((each.any(1) & ~each.all(1)).any()) for each in undefined)


def _kind(value: object) -> str:
    """Describe a value by its class, and by its shape and type of numbers if it has them."""
    name = f"{type(value).__module__}.{type(value).__name__}".removeprefix("builtins.")
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    return f"{name} of shape {tuple(shape)} and {dtype}" if shape is not None else name
