from types import SimpleNamespace

import numpy as np
import pytest

from alray.errors import SpecError
from alray.pools import synthetic
from alray.pools.importing import Target, write_chunks
from alray.pools.synthetic import CHUNK, SyntheticSpec, class_sizes, make_synthetic
from alray.seeding import generator
from alray.settings.base import validate
from tests.helpers.pools_fixtures import read


def small(objects, **changed):
    """Return the settings of a pool with few features."""
    sizes = {"image_features": 12, "text_features": 5, "classes": 10, "families": 3}
    return SyntheticSpec(objects=objects, **{**sizes, **changed})


def drawn(objects, name="image", **changed):
    """Return one modality's values and presence, and labels and topics, of all objects of a small pool."""
    chunks = list(make_synthetic(small(objects, **changed)))
    return SimpleNamespace(
        values=np.concatenate([chunk.modalities[name].values for chunk in chunks]),
        present=np.concatenate([chunk.modalities[name].present for chunk in chunks]),
        labels=np.concatenate([chunk.labels for chunk in chunks]),
        topics=np.concatenate([chunk.extras["true_label"] for chunk in chunks]),
    )


def near(share, count):
    """Return an approximate value: within four standard errors of a share of `count` draws."""
    return pytest.approx(share, abs=4 * (share * (1 - share) / count) ** 0.5)


def test_default_sizes_are_the_originals():
    spec = SyntheticSpec()
    assert (spec.image_features, spec.text_features, spec.classes) == (1024, 300, 50)
    sizes = class_sizes(spec)
    assert sizes.sum() == 136_000
    assert sizes[0] == pytest.approx(7620, abs=2)
    assert sizes[-1] == pytest.approx(134, abs=1)
    assert (np.diff(sizes) <= 0).all()


@pytest.mark.parametrize("objects", [150, 151, 500, 5_000, 100_000])
def test_sizes_are_in_proportion_and_never_below_three(objects):
    sizes = class_sizes(SyntheticSpec(objects=objects))
    assert sizes.sum() == objects
    assert sizes.min() >= 3
    large = sizes[:10]
    expected = class_sizes(SyntheticSpec(objects=13_600_000))[:10]
    if objects >= 5_000:
        assert large / large.sum() == pytest.approx(expected / expected.sum(), rel=0.01)


def test_topics_have_these_sizes():
    names, counts = np.unique(drawn(5_000).topics, return_counts=True)
    assert names.tolist() == [f"topic-{k}" for k in range(10)]
    assert counts.tolist() == class_sizes(small(5_000)).tolist()


def test_the_same_seed_is_the_same_pool_to_the_bit(tmp_path):
    written = [
        write_chunks(make_synthetic(small(5_000)), 5_000, Target(tmp_path / name), lambda *_: None)
        for name in "ab"
    ]
    assert written[0].objects == 5_000
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    pool = read(str(tmp_path / "a"))
    assert {part.name: part.dimension for part in pool.modalities} == {"image": 12, "text": 5}
    assert len(pool.classes) == 10


def test_another_seed_is_another_pool():
    first, second = drawn(500), drawn(500, seed=1)
    assert not (first.values == second.values).any()
    assert not (first.present == second.present).all()
    assert not (first.topics == second.topics).all()


def test_no_two_draws_share_a_generator(monkeypatch):
    rounds: list[int] = []

    def recorded(study_seed, run_seed, purpose, round_number):
        assert purpose == "twin"  # another purpose would change every pool
        rounds.append(round_number)
        return generator(study_seed, run_seed, purpose, round_number)

    monkeypatch.setattr(synthetic, "generator", recorded)
    values = drawn(3 * CHUNK).values
    assert sorted(rounds) == [0, 1, 2, 3]
    assert not (values[:CHUNK] == values[CHUNK : 2 * CHUNK]).any()


def test_the_type_of_the_features_changes_nothing_else():
    full, half = drawn(500), drawn(500, dtype="float16")
    assert half.values.dtype == np.float16
    assert np.array_equal(full.values.astype(np.float16), half.values)
    for name in ("present", "labels", "topics"):
        assert np.array_equal(getattr(full, name), getattr(half, name))


def test_absent_shares_are_those_of_the_settings():
    shares = {"image_absent": 0.3, "text_absent": 0.6}
    image, text = (drawn(20_000, name, **shares).present for name in ("image", "text"))
    assert 1 - image.mean() == near(0.3, 20_000)
    assert 1 - text.mean() == near(0.6, 20_000)
    assert (image | text).all()


def test_label_noise_is_that_of_the_settings():
    found = drawn(20_000, label_noise=0.2)
    assert (found.labels != found.topics).mean() == near(0.2, 20_000)


@pytest.mark.parametrize(("objects", "noise"), [(1_000, 0), (30, 1)])
def test_without_noise_and_for_three_objects_of_a_class_labels_are_true(objects, noise):
    found = drawn(objects, label_noise=noise)
    assert (found.labels == found.topics).all()


def test_siblings_are_confused_as_often_as_the_settings_say():
    found = drawn(20_000, label_noise=0.5, sibling_confusion=1, families=2)
    wrong = found.labels != found.topics
    seen = set(zip(found.topics[wrong].tolist(), found.labels[wrong].tolist(), strict=True))
    # Two families of five: each topic is confused with its four siblings only.
    assert len(seen) == 10 * 4


def nearest_centre_accuracy(**changed):
    """Return how often the nearest class mean of one half is right in the other half."""
    found = drawn(4_000, **{"label_noise": 0, "ambiguous": 0, "modes": 1, **changed})
    fit, test = slice(0, 2_000), slice(2_000, 4_000)
    names = np.unique(found.topics)
    centres = np.stack(
        [found.values[fit][found.topics[fit] == name].mean(axis=0) for name in names]
    )
    distance = ((found.values[test][:, None] - centres) ** 2).sum(axis=2)
    return (names[distance.argmin(axis=1)] == found.topics[test]).mean()


def test_each_difficulty_makes_it_harder():
    easy = nearest_centre_accuracy(image_separation=2.0)
    assert easy > 0.9
    assert nearest_centre_accuracy(image_separation=0.3) < easy - 0.1
    assert nearest_centre_accuracy(image_separation=2.0, ambiguous=1) < easy - 0.05
    assert nearest_centre_accuracy(image_separation=2.0, modes=20, mode_spread=2) < easy - 0.1
    assert nearest_centre_accuracy(image_separation=2.0, noise=5) < easy - 0.1
    # Without modes of their own, siblings that share all of their position are one topic.
    alike = {"image_separation": 2.0, "mode_spread": 0}
    assert nearest_centre_accuracy(**alike, family_share=0) > 0.9
    assert nearest_centre_accuracy(**alike, family_share=1) < easy - 0.1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"objects": 149}, "at least 3 per class, 150"),
        ({"smallest": 9, "largest": 8}, "smallest"),
        ({"classes": 5, "families": 6}, "families"),
        ({"image_absent": 0.6, "text_absent": 0.5}, "every post keeps a modality"),
        ({"label_noise": 1.5}, "label_noise"),
        ({"modess": 3}, "did you mean 'modes'?"),
    ],
)
def test_refuses_settings_that_do_not_fit(settings, words):
    with pytest.raises(SpecError) as caught:
        validate(SyntheticSpec, settings, "the command line")
    assert words in str(caught.value)
