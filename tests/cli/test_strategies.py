"""`alray strategies`: the list, and a strategy explained."""

import pytest
from click.testing import CliRunner

from alray.cli import main
from alray.settings.libraries import LIBRARIES
from alray.strategies import STRATEGIES, ScoreStrategy
from alray.strategies.descriptions import DESCRIPTIONS
from alray.strategies.explaining import opening_of, options_of
from alray.strategies.libraries.catalogue import KNOWN, REFUSED


def said(*words, width=80):
    ended = CliRunner(env={"COLUMNS": str(width)}).invoke(main, ["strategies", *words])
    return ended.exit_code, ended.output


@pytest.mark.parametrize("width", [60, 80])
def test_the_list_has_every_strategy_and_fits_the_terminal(width):
    code, text = said(width=width)
    assert code == 0
    firsts = [line.split()[0] for line in text.splitlines() if line and line[0] != " "]
    assert firsts[: len(STRATEGIES)] == list(STRATEGIES)
    table = text.partition("\n\n")[0].splitlines()
    assert max(map(len, table)) <= width


def test_every_strategy_is_described_and_every_option_explained():
    assert list(DESCRIPTIONS) == list(STRATEGIES)
    for name, kind in STRATEGIES.items():
        assert DESCRIPTIONS[name].chooses
        assert DESCRIPTIONS[name].cost
        assert opening_of(name)
        options = options_of(name)
        assert all(option.meaning and option.default for option in options), name
        names = [option.name for option in options]
        assert (names[-2:] == ["stochastic", "beta"]) is issubclass(kind, ScoreStrategy)


def test_one_is_explained_with_its_own_options_first():
    code, text = said("bald", width=60)
    assert code == 0
    assert max(map(len, text.splitlines())) <= 60
    for words in (
        "members=whole number  [default: 10]",
        "committee=dropout|heads|both  [default: dropout]",
        "Houlsby et al. 2011",
        "m members of a committee",
    ):
        assert words in text
    assert text.index("members=") < text.index("stochastic=")
    assert "It has no options." in said("badge")[1]


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("library", LIBRARIES.values(), ids=lambda library: library.module)
def test_another_librarys_are_listed_with_what_they_are_given_installed_or_not(library, width):
    code, text = said(library.module, width=width)
    assert code == 0
    assert library.install in text
    assert library.module in said()[1]
    for name in (*KNOWN[library.module], *REFUSED[library.module]):
        assert name in text
    assert max(map(len, text.partition("explains one")[0].splitlines()[1:-1])) <= width


def test_a_custom_one_is_explained_by_its_docstring(monkeypatch):
    code, text = said("tests.helpers.own_modules:PowerMargin")
    assert code == 0
    assert "beta=number  [to be given]" in text
    assert text.count("beta=") == 1
    assert "In costs" not in text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("badg", "did you mean 'badge'?"),
        ("bald:members=3", "'bald:members=3' has options; write the strategy's name alone"),
        ("nowhere:Thing", "cannot be imported"),
    ],
)
def test_what_is_no_name_is_refused(name, words):
    code, text = said(name)
    assert code == 2
    assert words in text
