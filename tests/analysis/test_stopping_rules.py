"""Stopping rules on curves where the right round is known by hand, and what every rule has in common."""

import numpy as np
import pytest

from alray.analysis.stopping_rules.base import windows
from alray.analysis.stopping_rules.registry import (
    RULES,
    USUAL,
    parse_rule,
    rule_text,
    rules_of,
)
from alray.errors import SpecError

NAN = np.nan
every_rule = pytest.mark.parametrize("name", RULES)


def curve_of(**columns):
    n = len(next(iter(columns.values())))
    found = {"round": np.arange(n, dtype=float), "labels": 100.0 + 20 * np.arange(n)}
    return found | {name: np.array(values, dtype=float) for name, values in columns.items()}


def stops(text, **columns):
    """Return the rounds after which a rule says to stop."""
    return np.flatnonzero(parse_rule(text).stops(curve_of(**columns))).tolist()


def random_curve(rng, n=30):
    """Return all columns that rules read, near their thresholds so that they are met now and then."""
    names = {name for kind in RULES.values() for name in kind().needs}
    columns = {name: np.clip(rng.normal(0.985, 0.02, n), 0, 1) for name in names}
    columns |= {name: rng.random(n) * 0.1 for name in ("stop_entropy", "stop_max_entropy")}
    for name in ("stop_kappa", "stop_agreement"):
        columns[name][0] = NAN
    columns["validation_accuracy"] = 0.8 - 0.4 * np.exp(-np.arange(n) / 6) + rng.normal(0, 0.01, n)
    return curve_of(**columns)


def test_kappa_stops_where_the_mean_of_three_is_large():
    kappas = [NAN, 0.9, 0.99, 0.99, 0.98, 1.0, 0.99, 0.9]
    assert stops("kappa", stop_kappa=kappas) == [5, 6]
    assert stops("kappa:window=1", stop_kappa=kappas) == [2, 3, 5, 6]
    assert stops("kappa:window=2:threshold=.94", stop_kappa=kappas) == [2, 3, 4, 5, 6, 7]
    assert stops("kappa", stop_kappa=[NAN, 1, 1, 1]) == [3]


def test_kappa_does_not_stop_where_it_is_unknown():
    assert stops("kappa", stop_kappa=[NAN] * 6) == []


def test_classification_change_stops_where_nothing_changes():
    agreement = [NAN, 0.9, 1.0, 0.95, 1.0]
    assert stops("classification_change", stop_agreement=agreement) == [2, 4]
    assert stops("classification_change:threshold=.05", stop_agreement=agreement) == [2, 3, 4]
    # 1 - .1 and 9/10 are not equal in binary.
    assert stops("classification_change:threshold=.1", stop_agreement=[NAN, 9 / 10]) == [1]


def test_uncertainty_is_compared_with_its_threshold():
    assert stops("overall_uncertainty", stop_entropy=[0.5, 0.05, 0.04]) == [2]
    assert stops("max_uncertainty", stop_max_entropy=[0.5, 0.01, 0.009]) == [1, 2]
    gap = {
        "stop_max_confidence": [0.99, 1.0, 1.0],
        "stop_median_confidence": [0.5, 0.9, 0.995],
    }
    assert stops("confidence_gap", **gap) == [2]
    assert stops("confidence_gap:threshold=.11", **gap) == [1, 2]


def test_confidence_drop_needs_three_falls_in_a_row():
    values = [0.5, 0.6, 0.59, 0.58, 0.6, 0.59, 0.58, 0.57, 0.56]
    assert stops("confidence_drop", stop_confidence=values) == [7, 8]
    assert stops("confidence_drop:rounds=2", stop_confidence=values) == [3, 6, 7, 8]
    assert stops("confidence_drop:rounds=1", stop_confidence=[0.5, 0.5, 0.4]) == [2]


def test_patience_counts_rounds_without_a_better_value():
    values = [0.5, 0.6, 0.6, 0.59, 0.61, 0.6, 0.6]
    assert stops("validation_patience:patience=2", validation_accuracy=values) == [3, 6]
    assert stops("validation_patience:patience=3", validation_accuracy=values) == []
    wide = "validation_patience:patience=2:least=.05"
    assert stops(wide, validation_accuracy=values) == [3, 4, 5, 6]
    nll = "validation_patience:patience=2:metric=nll"
    assert stops(nll, validation_nll=[2, 1, 1.5, 1.2, 0.9]) == [3]


def test_patience_does_not_count_rounds_that_are_unknown():
    values = [0.5, NAN, NAN, NAN, 0.4, 0.4]
    assert stops("validation_patience:patience=2", validation_accuracy=values) == [5]


def test_predicted_gain_is_that_of_a_planted_line():
    """Accuracy a + b log(labels) gains b log(1 + 100 / labels) by 100 more: below .005 from a known count on."""
    labels = 100.0 + 20 * np.arange(200)
    accuracy = 0.2 + 0.06 * np.log(labels)
    limit = 100 / np.expm1(0.005 / 0.06)
    found = stops("predicted_gain", validation_accuracy=accuracy)
    assert found == np.flatnonzero(labels > limit).tolist()
    assert 9 < found[0] < 199
    flat = stops("predicted_gain:window=4", validation_accuracy=np.full(20, 0.5))
    assert flat == list(range(3, 20))


def test_fixed_rounds_looks_at_nothing_else():
    assert stops("fixed_rounds:rounds=3", stop_kappa=[NAN] * 6) == [3, 4, 5]


def test_windows_hold_the_last_values():
    found = windows(np.array([1.0, 2.0, 3.0]), 2)
    np.testing.assert_array_equal(found, [[NAN, 1], [1, 2], [2, 3]])


@every_rule
def test_later_rounds_play_no_part(name):
    rule, rng = parse_rule(name), np.random.default_rng(3)
    said = []
    for _ in range(20):
        curve = random_curve(rng)
        whole = rule.stops(curve)
        for end in range(1, 31):
            part = rule.stops({key: values[:end] for key, values in curve.items()})
            np.testing.assert_array_equal(part, whole[:end])
        said += whole.tolist()
    if name not in {"fixed_rounds", "confidence_gap"}:
        assert 0 < np.mean(said) < 1


@every_rule
def test_what_is_unknown_is_no_reason_to_stop(name):
    rule = parse_rule(name)
    unknown = {key: np.full(30, NAN) for key in rule.needs}
    if rule.needs:
        assert not rule.stops(curve_of(**unknown)).any()


@every_rule
def test_the_text_of_a_rule_is_read_back(name):
    assert rule_text(parse_rule(name)) == name
    assert rule_text(parse_rule(f" {name} ")) == name


def test_options_that_are_not_the_defaults_are_part_of_the_text():
    assert rule_text(parse_rule("kappa:threshold=.9:window=3")) == "kappa:threshold=0.9"
    assert list(rules_of(())) == list(USUAL)
    assert list(rules_of(["all"])) == list(RULES)
    assert list(rules_of(["kappa", "kappa:window=5"])) == ["kappa", "kappa:window=5"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kapa", "did you mean 'kappa'"),
        ("foo", "valid are: kappa, overall_uncertainty"),
        ("kappa:windw=3", "no option 'windw'; did you mean 'window'"),
        ("kappa:zzzzzzzz=3", "valid are: window, threshold"),
        ("kappa:window", "is not option=value"),
        ("kappa:window=x", "option window: .*got 'x'"),
        ("kappa:window=0", "window must be 1 or more"),
        ("kappa:threshold=nan", "threshold must be from -1 to 1"),
        ("overall_uncertainty:threshold=1", "threshold must be"),
        ("classification_change:threshold=2", "threshold must be from 0 to 1"),
        ("validation_patience:patience=0", "patience must be 1 or more"),
        ("validation_patience:metric=ece", "option metric"),
        ("predicted_gain:least=nan", "least must be a number"),
        ("predicted_gain:labels=0", "labels must be 1 or more"),
        ("fixed_rounds:rounds=0", "rounds must be 1 or more"),
    ],
)
def test_what_cannot_be_a_rule_is_refused_with_what_can(text, message):
    with pytest.raises(SpecError, match=message):
        rules_of([text])


def test_a_rule_is_named_once():
    with pytest.raises(SpecError, match="'kappa' is named twice"):
        rules_of(["kappa", "kappa:window=3"])


def test_a_rule_says_what_it_goes_by_and_what_it_wants():
    """The number named is that by which `stops` decides; before enough rounds it is said not to be known."""
    kappas = np.array([np.nan, 0.9, 0.96, 0.99])
    curve = {"round": np.arange(4.0), "labels": np.arange(1.0, 5.0), "stop_kappa": kappas}
    rule = parse_rule("kappa")
    assert rule.says(curve) == "mean of the last 3 kappas is .950; .990 or more is wanted"
    short = {name: values[:3] for name, values in curve.items()}
    assert "not known yet, 4 networks" in rule.says(short)
    falling = {"stop_confidence": np.array([0.7, 0.9, 0.8, 0.75])}
    assert "has fallen in 2 rounds up to now; 3 wanted" in parse_rule("confidence_drop").says(
        falling
    )
    steady = {"validation_accuracy": np.array([0.5, 0.6, 0.6, np.nan, 0.55])}
    assert parse_rule("validation_patience").says(steady).startswith("2 rounds without")
