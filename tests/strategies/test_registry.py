from importlib.metadata import EntryPoint

import pytest

from alray.errors import SpecError
from alray.strategies import canonical, identity, parse, registry
from alray.strategies.committee import Bald
from alray.strategies.uncertainty import Margin
from tests.helpers.own_modules import Plain, PowerMargin

OWN = "tests.helpers.own_modules:PowerMargin"
PLAIN = "tests.helpers.own_modules:Plain"


def test_options():
    assert parse(" bald:members=20:committee=both ") == Bald(20, "both")
    assert parse("bald:members=1:committee=heads") == Bald(1, "heads")
    assert parse(f"{OWN}:beta=1.5") == PowerMargin(1.5)
    assert isinstance(parse(PLAIN), Plain)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bald:members=10", "bald"),
        ("bald:committee=heads:members=3", "bald:members=3:committee=heads"),
        ("bald:committee=dropout:members=20", "bald:members=20"),
        ("learning_loss:weight=0.50", "learning_loss:weight=0.5"),
        (f"{OWN}:beta=2", f"{OWN}:beta=2.0"),
        (f"{OWN}:note=x:beta=2", f"{OWN}:beta=2.0:note=x"),
        (PLAIN, PLAIN),
    ],
)
def test_the_canonical_form_leaves_defaults_out(text, expected):
    assert canonical(text) == expected
    assert canonical(expected) == expected
    assert parse(expected) == parse(text) or isinstance(parse(text), Plain)


def test_the_identity_names_every_option():
    assert identity("bald") == identity("bald:members=10:committee=dropout")
    assert "members=10" in identity("bald")
    assert identity("bald") != identity("bald:members=11")
    assert identity("margin") != identity("entropy")
    # Without an address in memory: it is the same in every process.
    assert identity(PLAIN) == PLAIN


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("margn", "did you mean 'margin'"),
        ("qqqqqq", "valid are: random, least_confidence"),
        ("", "there is no strategy ''"),
        ("bald:member=3", "did you mean 'members'"),
        ("bald:zzzzzz=3", "valid are: members, committee"),
        ("margin:k=3", "no option 'k'; valid are: stochastic, beta"),
        ("random:k=3", "no options"),
        ("margin:beta=2", "beta has no effect without stochastic; add stochastic=power"),
        ("margin:stochastic=power:beta=-1", "beta must be a number of at least 0"),
        ("margin:stochastic=powr", "option stochastic"),
        (
            "reverse_ideal_loss:stochastic=power",
            "needs scores of which large ones are best; use stochastic=softrank",
        ),
        (
            "learning_loss:stochastic=power",
            "needs scores of at least 0, which these need not be; use stochastic=softmax or",
        ),
        ("random:stochastic=power", "no options"),
        ("bald:members", "'members' is not option=value"),
        ("bald:members=ten", r"option members: .*integer.*\(got 'ten'\)"),
        ("bald:committee=all", "option committee"),
        ("bald:members=1", "at least 2"),
        ("learning_loss:margin=-1", "margin"),
        (OWN, "beta"),
        ("tests.helpers.own_modules:Missing", "cannot be imported"),
        ("no_such_package.at_all:Thing", "cannot be imported"),
        ("tests.helpers.own_modules:NoStrategy", "lacks needs, loss_prediction, select"),
        ("tests.helpers.own_modules:linear_network", "not a strategy class"),
    ],
)
def test_other_texts_are_refused(text, message):
    with pytest.raises(SpecError, match=message):
        parse(text)


def test_an_installed_package_may_offer_strategies(monkeypatch):
    """Here one of them has the name of a built-in strategy, and one is none."""
    paths = {"power": OWN, "margin": PLAIN, "none": "tests.helpers.own_modules:NoStrategy"}

    def entry_points(group):
        assert group == "alray.strategies"
        return [EntryPoint(name, path, group) for name, path in paths.items()]

    monkeypatch.setattr(registry, "entry_points", entry_points)
    assert parse("power:beta=3") == PowerMargin(3.0)
    assert canonical("power:beta=3") == "power:beta=3.0"
    assert parse("margin") == Margin()
    with pytest.raises(SpecError, match="did you mean 'power'"):
        parse("powr")
    with pytest.raises(
        SpecError,
        match=r"strategy 'none' is not a strategy class.* inherits from alray\.strategies\.ScoreStrategy",
    ):
        parse("none")
