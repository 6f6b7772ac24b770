"""A simulated crowd: how often it errs, towards what, and whom one hears."""

import numpy as np
import pytest
from pydantic import ValidationError

from alray.assessors.answers import Answers
from alray.assessors.asking import Asking, ask, until, until_agreed
from alray.assessors.confusable import alike, confusable_classes
from alray.assessors.crowd import SKIP, make_crowd
from alray.settings.crowd import CrowdSpec

CLASSES = 5


def generators(index):
    return np.random.default_rng([7, index])


def crowd_of(seed=0, shares=None, **settings):
    spec = CrowdSpec(**settings)
    return make_crowd(
        spec, alike(CLASSES) if shares is None else shares, np.random.default_rng(seed)
    )


def heard(crowd, truth, times=20_000, seed=0):
    """Return (times, assessors) answers about objects of one class."""
    rng = np.random.default_rng(seed)
    return np.stack([crowd.answers(truth, rng) for _ in range(times)])


def test_answers_have_the_shares_of_the_confusions():
    crowd = crowd_of(assessors=3, answers=2, rate=0.3, skips=0.2)
    found = heard(crowd, truth=2)
    for assessor in range(3):
        answers = found[:, assessor]
        assert (answers == SKIP).mean() == pytest.approx(0.2, abs=0.015)
        given = answers[answers != SKIP]
        shares = np.bincount(given, minlength=CLASSES) / len(given)
        assert shares == pytest.approx(crowd.confusions[assessor, 2], abs=0.02)


def test_a_middling_assessor_errs_at_the_rate_and_others_spread_around_it():
    crowd = crowd_of(assessors=4001, answers=1, rate=0.2, skill_spread=0.5)
    assert np.median(1 - crowd.skills) == pytest.approx(0.2, abs=0.01)
    odds = np.log((1 - crowd.skills) / crowd.skills)
    assert odds.std() == pytest.approx(0.5, abs=0.02)
    same = crowd_of(assessors=9, skill_spread=0.0, rate=0.2)
    assert same.skills == pytest.approx([0.8] * 9)
    assert crowd_of(rate=0.0, skill_spread=2.0).skills == pytest.approx([1.0] * 20)


def test_spammers_answer_every_class_alike():
    crowd = crowd_of(assessors=20, spammers=0.25, rate=0.1)
    even = np.isclose(crowd.confusions, 1 / CLASSES).all(axis=(1, 2))
    assert even.sum() == 5
    assert (crowd.skills[~even] > 0.5).all()
    assert (crowd_of(seed=1, assessors=20, spammers=0.25).skills != crowd.skills).any()


def test_confusable_classes_are_those_whose_means_are_near():
    means = np.array([[0.0, 0.0], [1.0, 0.0], [10.0, 0.0], [10.0, 1.5]])
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 200)
    features = means[labels] + 0.1 * rng.normal(size=(800, 2))
    shares = confusable_classes(features, labels, 5)
    assert shares.sum(1) == pytest.approx(np.ones(5))
    assert np.diagonal(shares).tolist() == [0.0] * 5
    assert shares[:4].argmax(1).tolist() == [1, 0, 3, 2]
    assert (shares[:4].max(1) > 0.99).all()
    assert shares[4] == pytest.approx([0.25, 0.25, 0.25, 0.25, 0.0])


def test_everyone_is_asked_once_until_there_are_enough_answers():
    crowd = crowd_of(assessors=6, answers=3, skips=0.5)
    objects, truths = np.arange(100, 400), np.arange(300) % CLASSES
    found = ask(crowd, objects, truths, Asking(4, until(3)), generators)
    assert set(found.rounds.tolist()) == {4}
    pairs = set(zip(found.objects.tolist(), found.assessors.tolist(), strict=True))
    assert len(pairs) == len(found)
    for index in objects:
        of_object = found.where(found.objects == index)
        given = of_object.bought
        # Nobody is asked after the third answer; fewer only where all were asked.
        assert given == 3 or (given < 3 and len(of_object) == 6)
        assert given < 3 or of_object.classes[-1] != SKIP
    assert (np.bincount(found.assessors) > 100).all()


def test_answers_about_an_object_do_not_depend_on_what_else_is_asked():
    crowd = crowd_of(skips=0.1)
    objects, truths = np.arange(40), np.arange(40) % CLASSES
    whole = ask(crowd, objects, truths, Asking(1, until(3)), generators)
    alone = ask(crowd, objects[[33]], truths[[33]], Asking(9, until(3)), generators)
    of_one = whole.where(whole.objects == 33)
    assert alone.table()[:, 1:].tolist() == of_one.table()[:, 1:].tolist()
    more = ask(crowd, objects[[33]], truths[[33]], Asking(1, until(5)), generators)
    assert more.table()[: len(alone), 1:].tolist() == alone.table()[:, 1:].tolist()


def test_who_asks_again_goes_on_where_he_stopped():
    crowd = crowd_of(assessors=7, skips=0.3)
    objects, truths = np.arange(60), np.arange(60) % CLASSES
    before, asked = Answers(), []
    for number in range(3):
        more = ask(crowd, objects, truths, Asking(number, until(1), before=before), generators)
        assert set(more.rounds.tolist()) == {number}
        before += more
        asked.append(more)
    at_once = ask(crowd, objects, truths, Asking(0, until(3)), generators)
    for index in objects:
        one, other = (each.where(each.objects == index) for each in (before, at_once))
        assert one.table()[:, 1:].tolist() == other.table()[:, 1:].tolist()
    nobody = ask(crowd, objects, truths, Asking(4, until(1), before=at_once), generators)
    assert len(nobody) > 0
    everyone = ask(crowd, objects, truths, Asking(0, until(8)), generators)
    assert len(ask(crowd, objects, truths, Asking(4, until(1), before=everyone), generators)) == 0


def test_an_order_says_who_is_asked_and_not_what_they_say():
    crowd = crowd_of(assessors=6, answers=3)
    objects, truths = np.arange(50), np.arange(50) % CLASSES
    orders = np.tile(np.array([4, 1, 0, 2, 3, 5]), (50, 1))
    found = ask(crowd, objects, truths, Asking(1, until(2), orders), generators)
    assert found.assessors.tolist() == [4, 1] * 50
    of_all = ask(crowd, objects, truths, Asking(1, until(6)), generators)
    said = dict(
        zip(zip(*of_all.table()[:, 1:3].T.tolist(), strict=True), of_all.classes, strict=True)
    )
    pairs = zip(found.objects.tolist(), found.assessors.tolist(), strict=True)
    assert found.classes.tolist() == [said[pair] for pair in pairs]


def asked_until_agreed(heard, most):
    """Return how many are asked, by the rule read out: one after the other."""
    given = []
    for number, answer in enumerate(heard, 1):
        given += [answer] * (answer != SKIP)
        agreed = any(2 * given.count(each) > len(given) for each in given)
        if len(given) == most or (len(given) >= 2 and agreed):
            return number
    return len(heard)


def test_more_are_asked_while_no_class_has_more_than_half():
    rng = np.random.default_rng(3)
    numbers = []
    for _ in range(2000):
        most = int(rng.integers(3, 7))
        heard = rng.integers(SKIP, 3, size=int(rng.integers(1, 9)))
        numbers.append(until_agreed(most)(heard))
        assert numbers[-1] == asked_until_agreed(heard.tolist(), most)
    assert len(set(numbers)) > 5
    assert until_agreed(3)(np.array([0, 0, 1])) == 2
    assert until_agreed(5)(np.array([0, 1, 1, 0, 2, 0])) == 3
    assert until_agreed(5)(np.array([0, 1, 2, 0, 1, 0])) == 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate": 2}, "less than 1"),
        ({"rate": 1.0}, "less than 1"),
        ({"answers": 30}, "answers = 30 is more than assessors = 20"),
        ({"skill_spread": -1}, "greater than or equal to 0"),
        ({"cost": float("nan")}, "finite"),
        ({"aggregate": "mean"}, "dawid_skene"),
        ({"relabel": "disagreement", "answers": 2}, "answers=3 or more, or relabel=never"),
        ({"relabel": "active_lab", "answers": 1}, "answers=2 or more, or relabel=never"),
        ({"errors": "table"}, "give table=FILE, CSV or Parquet"),
        ({"errors": "uniform", "table": "a.csv"}, "is for errors = table, not errors = uniform"),
        ({"table": "a.csv", "rate": 0.3}, "rate = 0.3 changes nothing: the workers of a.csv"),
        ({"table": "a.csv", "spammers": 0.1}, "leave spammers or table out"),
        ({"table_content": "abc"}, "table_content is about a table"),
        ({"table": "a.csv", "assessors": 2}, "answers = 3 is more than assessors = 2"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        CrowdSpec(**settings)


def test_the_crowd_in_words_and_what_a_label_costs():
    usual = CrowdSpec()
    assert usual.words == (
        "20 assessors, 20 % of answers wrong (structured); 3 answers an object at 0.05, read by one_coin"
    )
    assert usual.label_cost == pytest.approx(0.15)
    other = CrowdSpec(assessors=1, answers=1, spammers=0.25, skips=0.1, errors="uniform", cost=2)
    assert other.words == (
        "1 assessor, 25 % of them spammers, 20 % of answers wrong (uniform), 10 % of questions skipped; 1 answer an "
        "object at 2, read by one_coin"
    )


def test_what_else_is_chosen_is_in_the_words():
    assert CrowdSpec(table="a.csv").errors == "table"
    again = CrowdSpec(relabel="disagreement", answers=5, assign="best")
    assert again.words == (
        "20 assessors, 20 % of answers wrong (structured); 2 to 5 answers an object (more where they disagree), those "
        "likely to be right asked first, at 0.05, read by one_coin"
    )
    assert (
        "1 to 3 answers an object (by ActiveLab) at 0.05" in CrowdSpec(relabel="active_lab").words
    )
    assert again.label_cost is None
    table = CrowdSpec(table="a.csv", assessors=7, table_content="0")
    assert table.words == (
        "7 assessors, who err as the workers of a.csv; 3 answers an object at 0.05, read by one_coin"
    )
