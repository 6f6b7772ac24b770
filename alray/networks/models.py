"""Which network a study's settings name: built-in, a user's module, or a scikit-learn classifier."""

from collections.abc import Callable

from torch import nn

from alray.custom.loading import load, refuse_path
from alray.errors import SpecError
from alray.networks.cnn import Cnn
from alray.networks.custom_module import CustomModule
from alray.networks.estimators import estimator_maker
from alray.networks.generators import forked_rng
from alray.networks.late_fusion import LateFusion
from alray.networks.linear import SoftmaxRegression
from alray.networks.network import FUSED, Network
from alray.networks.sklearn_classifier import SklearnClassifier
from alray.pools.pool import PreparedPool
from alray.settings.base import unknown_name
from alray.settings.common import ModelSpec
from alray.settings.estimators import EXAMPLE, class_of

BUILT_IN = ("late_fusion", "linear", "cnn")
"""Names of the networks that come with alray; any other is `package.module:factory` or `sklearn:package.Class`."""


def build_network(spec: ModelSpec, pool: PreparedPool) -> Network:
    """Build the network of these settings for a pool; its weights come from the global generator.

    Raises:
        SpecError: The name is unknown, a factory cannot be imported, or the network does not fit the pool.
    """
    dimensions = {modality.name: modality.dimension for modality in pool.modalities}
    if spec.name == "linear":
        return SoftmaxRegression(dimensions, pool.class_count)
    if spec.name == "late_fusion":
        if FUSED in dimensions:
            raise SpecError(
                f"a modality cannot be called {FUSED!r}, as the network's main head is: give it another name with "
                f"pool.modalities"
            )
        return LateFusion(dimensions, pool.class_count, spec)
    if spec.name == "cnn":
        return _build_cnn(spec, pool)
    if class_of(spec.name) is not None:
        return SklearnClassifier(spec.name, estimator_maker(spec), pool.class_count)
    return _build_custom(spec, pool)


def _build_cnn(spec: ModelSpec, pool: PreparedPool) -> Network:
    images = [modality for modality in pool.modalities if len(modality.shape) > 1]
    if len(pool.modalities) != 1 or len(images) != 1:
        names = ", ".join(f"{modality.name} {modality.shape}" for modality in pool.modalities)
        raise SpecError(f"model cnn takes a pool of one image array; this pool has: {names}")
    shape = images[0].shape
    if min(shape[-2:]) < 8 or len(shape) > 3:
        raise SpecError(
            f"model cnn takes images of at least 8 x 8 pixels, (channels,) height, width; got {shape}"
        )
    return Cnn(images[0].name, shape, pool.class_count, spec)


def _build_custom(spec: ModelSpec, pool: PreparedPool) -> Network:
    if ":" not in spec.name:
        refuse_path(spec.name, "model.name")
        raise SpecError(
            f"model.name: {unknown_name('model', spec.name, [*BUILT_IN])} "
            f"(a custom one: package.module:factory; of scikit-learn: {EXAMPLE})"
        )
    # Its first import may draw numbers, which must not change the network's.
    with forked_rng(0):
        factory: Callable[..., nn.Module] = load(spec.name, "model.name")
    shapes = {modality.name: modality.shape for modality in pool.modalities}
    module = factory(shapes=shapes, classes=pool.class_count, **spec.options)
    if not isinstance(module, nn.Module):
        raise SpecError(
            f"model.name: {spec.name!r} returned {type(module).__name__}, not a torch.nn.Module"
        )
    return CustomModule(module, {modality.name: modality.shape for modality in pool.modalities})
