"""Names of other libraries' strategies: refused with the reason before anything is asked, installed or not."""

from importlib.metadata import PackageNotFoundError

import pytest

from alray.errors import SpecError
from alray.settings.libraries import LIBRARIES, library_of, packages_of
from alray.strategies import custom_name, parse
from alray.strategies.libraries import classes
from alray.strategies.libraries.catalogue import KNOWN, REFUSED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "skactiveml",
            r"written skactiveml:NAME, such as skactiveml:TypiClust; `alray strategies",
        ),
        ("scikit-activeml:TypiClust", "strategies of scikit-activeml are written skactiveml:NAME"),
        ("small-text:BALD", "strategies of small-text are written small_text:NAME"),
        ("skactiveml:Typiclust", "scikit-activeml: .*'Typiclust'; did you mean 'TypiClust'"),
        ("small_text:X", "small-text: .*'X'; valid are: RandomSampling, BreakingTies"),
        ("skactiveml:MonteCarloEER", "cannot be an arm: it fits the model anew"),
        ("skactiveml:DropQuery", "it asks the model about objects that it has changed"),
        ("skactiveml:GreedySamplingTarget", "it is for regression"),
        ("skactiveml:IntervalEstimationThreshold", "several annotators"),
        ("skactiveml:BatchBALD:eps=1", "what each member of a committee says"),
        ("small_text:SEALS", "wraps another strategy.*never the model"),
        ("small_text:CategoryVectorInconsistencyAndRanking", "several labels each"),
    ],
)
def test_what_cannot_be_an_arm_is_refused_with_the_reason(text, message):
    for read in (parse, custom_name):
        with pytest.raises(SpecError, match=message):
            read(text)


@pytest.mark.parametrize("library", LIBRARIES.values(), ids=lambda library: library.module)
def test_a_missing_package_is_named_with_the_command_that_installs_it(library, monkeypatch):
    def missing(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr(classes, "version", missing)
    classes.strategy_class.cache_clear()
    for read in (parse, custom_name):
        with pytest.raises(
            SpecError,
            match=rf'needs {library.package}, which is not installed: pip install "alray\[{library.extra}\]"',
        ):
            read(library.example)
    classes.strategy_class.cache_clear()


def test_no_strategy_is_both_known_and_refused():
    assert KNOWN.keys() == REFUSED.keys() == LIBRARIES.keys()
    for module, known in KNOWN.items():
        assert not known.keys() & REFUSED[module].keys()
        assert LIBRARIES[module].example.partition(":")[2] in known


def test_what_a_run_computes_by():
    assert packages_of(strategy="skactiveml:TypiClust:k=3") == ("scikit-learn", "scikit-activeml")
    assert packages_of(strategy="small_text:BreakingTies") == ("scikit-learn", "small-text")
    assert packages_of(strategy="typiclust:clusters=3") == ("scikit-learn",)
    assert packages_of(strategy="margin", initial_selection="random") == ()
    assert library_of("margin") is None
