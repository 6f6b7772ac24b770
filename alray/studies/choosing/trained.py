"""A network as a fit has left it, with all that is needed to score objects of other files by it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import load, save
from torch import nn
from typing_extensions import override

from alray.errors import SpecError
from alray.networks.generators import forked_rng
from alray.networks.loss_predictor import LossPredictor
from alray.networks.models import build_network
from alray.networks.network import Network
from alray.pools.pool import Modality, PreparedPool, SharedArrays, Texts
from alray.pools.standardise import Moments, moments_among, standardise_by
from alray.settings.base import validate
from alray.settings.common import ModelSpec
from alray.settings.estimators import class_of
from alray.training.checkpoint import WEIGHTS, learner_tensors, read_metadata
from alray.training.learner import Learner

_NETWORK, _PREDICTOR = "network.", "predictor."
_MEAN, _DEVIATION = "mean.", "deviation."


@dataclass(frozen=True, eq=False)
class TrainedModality:
    """A modality as a network has learnt from it.

    Attributes:
        name: Its name.
        shape: Shape of one object's features.
        moments: What standardises them.
    """

    name: str
    shape: tuple[int, ...]
    moments: Moments


def modalities_among(
    modalities: Iterable[Modality], among: npt.NDArray[np.bool_]
) -> tuple[TrainedModality, ...]:
    """Return modalities with what standardises them: moments over those of these (objects,) that have each.

    `standardise` with the same objects gives the features that a network is then to be trained on.

    Args:
        modalities: As they are read.
        among: The objects.
    """
    return tuple(
        TrainedModality(each.name, each.shape, moments_among(each, among)) for each in modalities
    )


@dataclass(frozen=True, eq=False)
class TrainedNetwork(SharedArrays):
    """A network that scores, and what standardises the features that it takes. NumPy arrays only.

    Attributes:
        model: The network's settings.
        class_count: How many classes it tells apart.
        modalities: What it takes.
        dtype: Type of the standardised features.
        weights: Weights and statistics by name, those of the network and of its loss predictor, if it has one.
    """

    model: ModelSpec
    class_count: int
    modalities: tuple[TrainedModality, ...]
    dtype: str
    weights: Mapping[str, npt.NDArray[Any]]

    @classmethod
    def of(
        cls,
        learner: Learner,
        model: ModelSpec,
        class_count: int,
        modalities: Sequence[TrainedModality],
        dtype: str = "float32",
    ) -> "TrainedNetwork":
        """Return a learner's network as it is now.

        Raises:
            SpecError: It is a scikit-learn classifier.
        """
        if class_of(model.name) is not None:
            raise SpecError(
                f"model.name: {model.name}: a classifier of scikit-learn is fitted in memory, and has no weights to "
                "score other files by; use a built-in network or a module of your own"
            )
        kept = (f"{WEIGHTS}{_NETWORK}", f"{WEIGHTS}{_PREDICTOR}")
        weights = {
            name.removeprefix(WEIGHTS): tensor.numpy()
            for name, tensor in learner_tensors(learner).items()
            if name.startswith(kept)
        }
        return cls(model, class_count, tuple(modalities), dtype, weights)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Modality: shape of one object's features."""
        return {modality.name: modality.shape for modality in self.modalities}

    @override
    def arrays(self) -> Sequence[npt.NDArray[np.generic]]:
        moments = [each for modality in self.modalities for each in modality.moments]
        return [*self.weights.values(), *moments]

    def build(self, device: torch.device) -> tuple[Network, LossPredictor | None]:
        """Return the network with these weights, and its loss predictor.

        Raises:
            SpecError: The weights are those of another network.
        """
        empty = tuple(
            Modality(
                m.name,
                np.empty((0, int(np.prod(m.shape))), np.float32),
                np.empty(0, np.int32),
                m.shape,
            )
            for m in self.modalities
        )
        with forked_rng(0):
            network = build_network(self.model, _prepared(empty, 0, self.class_count))
            self._fill(network, _NETWORK)
            predictor = LossPredictor(network.tap_sizes) if self._part(_PREDICTOR) else None
        if predictor is not None:
            self._fill(predictor, _PREDICTOR)
            predictor.to(device)
        return network.to(device), predictor

    def prepare(self, modalities: Sequence[Modality], ids: Texts) -> PreparedPool:
        """Return objects as the network takes them, all of them in the train part.

        Args:
            modalities: Their features as they are read, in the order of the network's.
            ids: (n,) for messages.

        Raises:
            PoolError: A standardised feature is too large for the type of features.
        """
        dtype = np.dtype(self.dtype)
        standardised = tuple(
            standardise_by(modality, known.moments, dtype, ids)
            for modality, known in zip(modalities, self.modalities, strict=True)
        )
        return _prepared(standardised, len(ids), self.class_count)

    def to_bytes(self) -> bytes:
        """Return the content of a safetensors file."""
        tensors = {f"{WEIGHTS}{name}": array for name, array in self.weights.items()}
        for modality in self.modalities:
            tensors[_MEAN + modality.name] = modality.moments.mean
            tensors[_DEVIATION + modality.name] = modality.moments.deviation
        facts = {
            "model": self.model.model_dump(mode="json"),
            "class_count": self.class_count,
            "shapes": [[modality.name, modality.shape] for modality in self.modalities],
            "dtype": self.dtype,
        }
        return bytes(save(tensors, {"trained": json.dumps(facts)}))

    @classmethod
    def from_bytes(cls, content: bytes) -> "TrainedNetwork":
        """Return what `to_bytes` has written.

        Raises:
            SpecError: It is something else.
        """
        try:
            facts, tensors = json.loads(read_metadata(content)["trained"]), load(content)
            modalities = tuple(
                TrainedModality(
                    name, tuple(shape), Moments(tensors[_MEAN + name], tensors[_DEVIATION + name])
                )
                for name, shape in facts["shapes"]
            )
        except Exception:  # noqa: BLE001 -- content of any other kind
            raise SpecError(
                "this is no file of a trained network; write one with alray's TrainedNetwork.to_bytes()"
            ) from None
        weights = {
            name.removeprefix(WEIGHTS): array
            for name, array in tensors.items()
            if name.startswith(WEIGHTS)
        }
        model = validate(ModelSpec, facts["model"], "the trained network")
        return cls(model, facts["class_count"], modalities, facts["dtype"], weights)

    def _fill(self, module: nn.Module, prefix: str) -> None:
        try:
            module.load_state_dict(self._part(prefix))
        except RuntimeError as error:
            first = str(error).partition("\n")[2].partition("\n")[0].strip()
            raise SpecError(
                f"model.name: {self.model.name}: the weights of the trained network do not fit it ({first}); give the "
                "code and settings that it was trained with, or train it anew"
            ) from None

    def _part(self, prefix: str) -> dict[str, torch.Tensor]:
        # Copies: arrays of an object store cannot be written, and those of a network may be.
        return {
            name.removeprefix(prefix): torch.from_numpy(np.array(array))
            for name, array in self.weights.items()
            if name.startswith(prefix)
        }


def _prepared(modalities: tuple[Modality, ...], objects: int, class_count: int) -> PreparedPool:
    """Return standardised objects as a pool that is all train part; its labels mean nothing."""
    nothing = np.empty(0, np.int64)
    labels = np.zeros(objects, np.int64)
    return PreparedPool(modalities, labels, class_count, np.arange(objects), nothing, nothing)
