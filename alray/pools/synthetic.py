"""A synthetic pool that imitates the original study's posts: the same sizes and kinds of difficulty, none of the data.

Each topic is a mixture of modes in a latent space of each modality; topics come in families of siblings that lie close
together. A post is a point near one of its topic's modes, multiplied by a fixed random matrix, with noise on every
feature. Some posts lie between two topics, some have a wrong label, some lack a modality. The settings decide every
value, so two files with the same settings are equal to the bit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from alray.pools.pool import Indices
from alray.pools.writing import Chunk, ChunkModality
from alray.seeding import generator
from alray.settings.base import Count, Fraction, NotNegative, Positive, Settings

CHUNK = 4096
"""Objects drawn from one generator. It is no setting: another number would change the pool of each seed."""

SMALLEST_CLASS = 3
"""Objects of each topic that have a true label at least: one for each part of a split."""

Floats = npt.NDArray[np.float32]


class SyntheticSpec(Settings):
    """Settings of the synthetic pool; the defaults imitate the original.

    A late-fusion network, trained from fresh weights on random labels, reached these test accuracies (10,000 objects):
    at 2,000 labels .429, .453 and .454 for seeds 0, 1 and 2; for seed 0 at 12,000 labels .548
    and at 97,000 labels .635. The original: .44 at 2,000 and .63 at 97,000.
    """

    objects: Count = Field(136_000, description="number of objects")
    classes: Annotated[int, Field(ge=2)] = Field(50, description="number of topics")
    largest: Count = Field(7_620, description="size of the largest topic, in proportion")
    smallest: Count = Field(134, description="size of the smallest topic, in proportion")
    skew: Positive = Field(
        1.504,
        description="1: sizes fall geometrically; more: they fall late (1.504 sums to 136,000)",
    )
    image_features: Count = Field(1024, description="features of the image modality")
    text_features: Count = Field(300, description="features of the text modality")
    latent: Count = Field(32, description="dimension of the space that topics differ in")
    families: Count = Field(12, description="families of confusable topics")
    family_share: Fraction = Field(
        0.4, description="share of a topic's position that it has in common with its family"
    )
    modes: Count = Field(12, description="modes of a topic")
    mode_skew: NotNegative = Field(
        1.0, description="the k-th mode has weight 1 / k^this; 0: all alike"
    )
    mode_spread: NotNegative = Field(
        1.0, description="distance of modes from their topic, in topic distances"
    )
    image_separation: NotNegative = Field(
        0.45, description="distance of topics in images, in spreads within a mode"
    )
    text_separation: NotNegative = Field(0.45, description="the same in texts")
    noise: NotNegative = Field(
        1.25, description="noise on every feature, in spreads within a mode"
    )
    ambiguous: Fraction = Field(0.1, description="share of posts that lie between two topics")
    label_noise: Fraction = Field(0.08, description="share of wrong labels")
    sibling_confusion: Fraction = Field(
        0.7, description="share of ambiguities and wrong labels that stay in the family"
    )
    image_absent: Fraction = Field(0.1, description="share of posts without image")
    text_absent: Fraction = Field(0.2, description="share of posts without text")
    seed: int = Field(0, description="another seed is another pool")
    dtype: Literal["float32", "float16"] = Field("float32", description="type of the features")

    @model_validator(mode="after")
    def _fits_together(self) -> "SyntheticSpec":
        if self.smallest > self.largest:
            raise ValueError("smallest must not be larger than largest")
        if self.objects < SMALLEST_CLASS * self.classes:
            raise ValueError(
                f"objects must be at least {SMALLEST_CLASS} per class, {SMALLEST_CLASS * self.classes} here"
            )
        if self.families > self.classes:
            raise ValueError(
                f"there cannot be more families ({self.families}) than classes ({self.classes}): give both"
            )
        if self.image_absent + self.text_absent > 1:
            raise ValueError(
                "image_absent + text_absent must not exceed 1: every post keeps a modality"
            )
        return self


def class_sizes(spec: SyntheticSpec) -> Indices:
    """Return (classes,) the number of objects of each topic, largest first; they sum to `objects`.

    Before scaling, the k-th of K is largest * (smallest / largest) ** ((k / (K - 1)) ** skew).
    """
    exponents = np.linspace(0, 1, spec.classes) ** spec.skew
    weights = spec.largest * (spec.smallest / spec.largest) ** exponents
    exact = np.zeros(spec.classes)
    low = np.zeros(spec.classes, np.bool_)
    # A topic that is raised to the least number leaves fewer objects for the others, so another may fall below it.
    while (exact < SMALLEST_CLASS).any():
        low |= (exact > 0) & (exact < SMALLEST_CLASS)
        spare = spec.objects - SMALLEST_CLASS * int(low.sum())
        exact = np.where(low, SMALLEST_CLASS, spare * weights / max(weights[~low].sum(), 1e-9))
    sizes = np.floor(exact).astype(np.int64)
    missing = spec.objects - int(sizes.sum())
    sizes[np.argsort(sizes - exact, kind="stable")[:missing]] += 1
    return sizes


@dataclass(frozen=True, eq=False)
class Mixture:
    """The mixture that all posts are drawn from.

    Attributes:
        topics: (objects,) int64, the true topic of each object.
        protected: (objects,) True where a label must stay true, see `SMALLEST_CLASS`.
        confusion: (classes, classes) cumulative probabilities of the topics that a topic is confused with.
        mode_weights: (modes,) cumulative.
        centres: Per modality (classes, modes, latent).
        projections: Per modality (latent, features): the matrix from latent space to features.
    """

    topics: Indices
    protected: npt.NDArray[np.bool_]
    confusion: npt.NDArray[np.float64]
    mode_weights: npt.NDArray[np.float64]
    centres: dict[str, Floats]
    projections: dict[str, Floats]


def draw_mixture(spec: SyntheticSpec) -> Mixture:
    """Draw the mixture: round 0 of the generator with purpose `twin`."""
    rng = generator(spec.seed, 0, "twin", 0)
    sizes = class_sizes(spec)
    topics = np.repeat(np.arange(spec.classes), sizes)
    protected = (
        np.arange(spec.objects) - np.repeat(np.cumsum(sizes) - sizes, sizes) < SMALLEST_CLASS
    )
    order = rng.permutation(spec.objects)
    # A permutation of families over topics: siblings differ in size.
    family = rng.permutation(np.arange(spec.classes) % spec.families)
    weights = np.arange(1, spec.modes + 1, dtype=np.float64) ** -spec.mode_skew
    separations = {"image": spec.image_separation, "text": spec.text_separation}
    widths = {"image": spec.image_features, "text": spec.text_features}
    return Mixture(
        topics=topics[order],
        protected=protected[order],
        confusion=np.cumsum(_confusion(spec, sizes, family), axis=1),
        mode_weights=np.cumsum(weights / weights.sum()),
        centres={
            name: separation * _centres(spec, family, rng)
            for name, separation in separations.items()
        },
        # So scaled, features have the variance of a latent coordinate.
        projections={
            name: rng.standard_normal((spec.latent, width), np.float32)
            / np.float32(spec.latent**0.5)
            for name, width in widths.items()
        },
    )


def _centres(spec: SyntheticSpec, family: Indices, rng: np.random.Generator) -> Floats:
    """Return (classes, modes, latent): family, topic and mode each add a normal vector."""
    shape = (spec.classes, spec.latent)
    common = rng.standard_normal((spec.families, spec.latent), np.float32)[family]
    own = rng.standard_normal(shape, np.float32)
    modes = rng.standard_normal((spec.classes, spec.modes, spec.latent), np.float32)
    share = spec.family_share
    topics = np.float32(share**0.5) * common + np.float32((1 - share) ** 0.5) * own
    return np.asarray(topics[:, None] + np.float32(spec.mode_spread) * modes, np.float32)


def _confusion(spec: SyntheticSpec, sizes: Indices, family: Indices) -> npt.NDArray[np.float64]:
    """Return (classes, classes) rows of probabilities: of siblings and of others, each in proportion to their sizes."""
    others = sizes * (1.0 - np.eye(spec.classes))
    siblings = others * (family[:, None] == family)
    all_sizes = others.sum(axis=1, keepdims=True)
    sibling_sizes = siblings.sum(axis=1, keepdims=True)
    share = np.where(sibling_sizes > 0, spec.sibling_confusion, 0.0)
    within = siblings / np.maximum(sibling_sizes, 1)
    return np.asarray(share * within + (1 - share) * others / all_sizes)


def make_synthetic(spec: SyntheticSpec) -> Iterator[Chunk]:
    """Yield the objects; column `true_label` is the topic before label noise."""
    mixture = draw_mixture(spec)
    for number, start in enumerate(range(0, spec.objects, CHUNK), start=1):
        rng = generator(spec.seed, 0, "twin", number)
        objects = slice(start, min(start + CHUNK, spec.objects))
        yield _draw_chunk(spec, mixture, objects, rng)


def _draw_chunk(
    spec: SyntheticSpec, mixture: Mixture, objects: slice, rng: np.random.Generator
) -> Chunk:
    topics = mixture.topics[objects]
    count = len(topics)
    other = _pick(mixture.confusion[topics], rng)
    wrong = (rng.random(count) < spec.label_noise) & ~mixture.protected[objects]
    labels = np.where(wrong, _pick(mixture.confusion[topics], rng), topics)
    # Up to half of an ambiguous post is about another topic; the label stays its own.
    mix = np.where(rng.random(count) < spec.ambiguous, rng.uniform(0.3, 0.5, count), 0.0)
    modes = [_pick(np.broadcast_to(mixture.mode_weights, (count, spec.modes)), rng) for _ in "ab"]
    absence = rng.random(count)
    present = {
        "image": absence >= spec.image_absent,
        "text": (absence < spec.image_absent) | (absence >= spec.image_absent + spec.text_absent),
    }
    modalities = {}
    for name, centres in mixture.centres.items():
        share = mix.astype(np.float32)[:, None]
        centre = (1 - share) * centres[topics, modes[0]] + share * centres[other, modes[1]]
        features = _draw_features(spec, centre, mixture.projections[name], rng)
        modalities[name] = ChunkModality(features, present[name])
    ids = np.char.mod("post-%07d", np.arange(objects.start, objects.stop))
    names = np.char.mod(f"topic-%0{len(str(spec.classes - 1))}d", np.arange(spec.classes))
    return Chunk(ids, names[labels], modalities, {"true_label": names[topics]})


def _draw_features(
    spec: SyntheticSpec, centre: Floats, projection: Floats, rng: np.random.Generator
) -> npt.NDArray[np.generic]:
    """Return (objects, features): points near their centres, projected, with noise."""
    point = centre + rng.standard_normal(centre.shape, np.float32)
    features = rng.standard_normal((len(point), projection.shape[1]), np.float32)
    features *= np.float32(spec.noise)
    features += point @ projection
    return features.astype(spec.dtype, copy=False)


def _pick(cumulative: npt.NDArray[np.float64], rng: np.random.Generator) -> Indices:
    """Draw an index per row of cumulative probabilities."""
    uniform = rng.random((len(cumulative), 1)) * cumulative[:, -1:]
    return np.asarray((uniform >= cumulative).sum(axis=1), np.int64)
