"""A synthetic twin of the original study's posts: the same sizes and the same kinds of difficulty, none of the data.

Each topic is a mixture of modes in a latent space of each modality; topics come in families of siblings that lie close
together. A post is a point near its topic's mode, seen through a fixed random matrix, with noise on every feature.
Some posts lie between two topics, some carry a wrong label, some lack a modality. An object's topic, chunk and seed
decide all of it, so two files with the same settings are equal to the bit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from alray.pools.pool import Indices
from alray.pools.writing import Chunk, Part
from alray.seeding import generator
from alray.settings.base import Count, NotNegative, Positive, Settings

CHUNK = 4096
"""Objects drawn from one generator: part of what the seed means, so it is no setting."""

SMALLEST_CLASS = 3
"""Objects of a topic that at least exist and are never mislabelled: one for each part of a split."""

Floats = npt.NDArray[np.float32]
Fraction = Annotated[float, Field(ge=0, le=1)]


class TwinSpec(Settings):
    """What the twin is like; the defaults imitate the original.

    A late-fusion network, trained from fresh weights on random labels, reached these test accuracies (10,000 objects):
    at 2,000 labels .429, .453 and .454 for seeds 0, 1 and 2; at 12,000 labels .548 and at 97,000 labels .635 for seed 0.
    The original: .44 at 2,000 and .63 at 97,000.
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
    def _fits_together(self) -> "TwinSpec":
        if self.smallest > self.largest:
            raise ValueError("smallest must not be larger than largest")
        if self.objects < SMALLEST_CLASS * self.classes:
            raise ValueError(
                f"objects must be at least {SMALLEST_CLASS} per class, {SMALLEST_CLASS * self.classes} here"
            )
        if self.families > self.classes:
            raise ValueError("there cannot be more families than classes")
        if self.image_absent + self.text_absent > 1:
            raise ValueError(
                "image_absent + text_absent must not exceed 1: every post keeps a modality"
            )
        return self


def class_sizes(spec: TwinSpec) -> Indices:
    """Return (classes,) how many objects each topic has, largest first; they sum to `objects`.

    Before scaling, the k-th of K is largest * (smallest / largest) ** ((k / (K - 1)) ** skew).
    """
    place = np.linspace(0, 1, spec.classes) ** spec.skew
    weights = spec.largest * (spec.smallest / spec.largest) ** place
    exact = np.zeros(spec.classes)
    low = np.zeros(spec.classes, np.bool_)
    # Raising one topic to the least number leaves less for the others, which may push the next one below it.
    while (exact < SMALLEST_CLASS).any():
        low |= (exact > 0) & (exact < SMALLEST_CLASS)
        spare = spec.objects - SMALLEST_CLASS * int(low.sum())
        exact = np.where(low, SMALLEST_CLASS, spare * weights / max(weights[~low].sum(), 1e-9))
    sizes = np.floor(exact).astype(np.int64)
    missing = spec.objects - int(sizes.sum())
    sizes[np.argsort(sizes - exact, kind="stable")[:missing]] += 1
    return sizes


@dataclass(frozen=True, eq=False)
class World:
    """What all posts of a twin share.

    Attributes:
        topics: (objects,) int64, the topic each object is truly about.
        protected: (objects,) True where a label must stay true, see `SMALLEST_CLASS`.
        confusion: (classes, classes) cumulative probabilities of the topic that another is confused with.
        mode_weights: (modes,) cumulative.
        centres: Per modality (classes, modes, latent).
        views: Per modality (latent, features): how the latent point is seen.
    """

    topics: Indices
    protected: npt.NDArray[np.bool_]
    confusion: npt.NDArray[np.float64]
    mode_weights: npt.NDArray[np.float64]
    centres: dict[str, Floats]
    views: dict[str, Floats]


def make_world(spec: TwinSpec) -> World:
    """Draw what all posts share: round 0 of the twin's generator."""
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
    return World(
        topics=topics[order],
        protected=protected[order],
        confusion=np.cumsum(_confusion(spec, sizes, family), axis=1),
        mode_weights=np.cumsum(weights / weights.sum()),
        centres={name: far * _centres(spec, family, rng) for name, far in separations.items()},
        views={name: _view(spec.latent, width, rng) for name, width in widths.items()},
    )


def _centres(spec: TwinSpec, family: Indices, rng: np.random.Generator) -> Floats:
    """Return (classes, modes, latent): family, topic and mode each add a normal vector."""
    shape = (spec.classes, spec.latent)
    common = rng.standard_normal((spec.families, spec.latent), np.float32)[family]
    own = rng.standard_normal(shape, np.float32)
    modes = rng.standard_normal((spec.classes, spec.modes, spec.latent), np.float32)
    share = spec.family_share
    topics = np.float32(share**0.5) * common + np.float32((1 - share) ** 0.5) * own
    return np.asarray(topics[:, None] + np.float32(spec.mode_spread) * modes, np.float32)


def _view(latent: int, width: int, rng: np.random.Generator) -> Floats:
    """Return a matrix that keeps the variance of a feature at that of a latent coordinate."""
    view = rng.standard_normal((latent, width), np.float32)
    return np.asarray(view / np.float32(latent**0.5), np.float32)


def _confusion(spec: TwinSpec, sizes: Indices, family: Indices) -> npt.NDArray[np.float64]:
    """Return (classes, classes) rows of probabilities: siblings and others, each in proportion to their size."""
    others = sizes * (1.0 - np.eye(spec.classes))
    siblings = others * (family[:, None] == family)
    all_sizes = others.sum(axis=1, keepdims=True)
    sibling_sizes = siblings.sum(axis=1, keepdims=True)
    share = np.where(sibling_sizes > 0, spec.sibling_confusion, 0.0)
    within = siblings / np.maximum(sibling_sizes, 1)
    return np.asarray(share * within + (1 - share) * others / all_sizes)


def make_twin(spec: TwinSpec) -> Iterator[Chunk]:
    """Yield the objects; `true_label` is the topic before label noise."""
    world = make_world(spec)
    for number, start in enumerate(range(0, spec.objects, CHUNK), start=1):
        rng = generator(spec.seed, 0, "twin", number)
        here = slice(start, min(start + CHUNK, spec.objects))
        yield _chunk(spec, world, here, rng)


def _chunk(spec: TwinSpec, world: World, here: slice, rng: np.random.Generator) -> Chunk:
    topics = world.topics[here]
    count = len(topics)
    other = _pick(world.confusion[topics], rng)
    wrong = (rng.random(count) < spec.label_noise) & ~world.protected[here]
    labels = np.where(wrong, _pick(world.confusion[topics], rng), topics)
    # An ambiguous post is up to half about another topic; its own stays the label.
    mix = np.where(rng.random(count) < spec.ambiguous, rng.uniform(0.3, 0.5, count), 0.0)
    modes = [_pick(np.broadcast_to(world.mode_weights, (count, spec.modes)), rng) for _ in "ab"]
    lot = rng.random(count)
    present = {
        "image": lot >= spec.image_absent,
        "text": (lot < spec.image_absent) | (lot >= spec.image_absent + spec.text_absent),
    }
    parts = {}
    for name, centres in world.centres.items():
        share = mix.astype(np.float32)[:, None]
        middle = (1 - share) * centres[topics, modes[0]] + share * centres[other, modes[1]]
        parts[name] = Part(_seen(spec, middle, world.views[name], rng), present[name])
    ids = np.char.mod("post-%07d", np.arange(here.start, here.stop))
    names = np.char.mod(f"topic-%0{len(str(spec.classes - 1))}d", np.arange(spec.classes))
    return Chunk(ids, names[labels], parts, {"true_label": names[topics]})


def _seen(
    spec: TwinSpec, middle: Floats, view: Floats, rng: np.random.Generator
) -> npt.NDArray[np.generic]:
    """Return features: a point near `middle`, seen through `view`, with noise."""
    point = middle + rng.standard_normal(middle.shape, np.float32)
    features = rng.standard_normal((len(point), view.shape[1]), np.float32)
    features *= np.float32(spec.noise)
    features += point @ view
    return features.astype(spec.dtype, copy=False)


def _pick(cumulative: npt.NDArray[np.float64], rng: np.random.Generator) -> Indices:
    """Return an index per row of cumulative probabilities."""
    lot = rng.random((len(cumulative), 1)) * cumulative[:, -1:]
    return np.asarray((lot >= cumulative).sum(axis=1), np.int64)
