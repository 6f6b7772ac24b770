"""The strategies that ask yes/no questions, by name."""

import pytest
from click.testing import CliRunner

from alray.cli import main
from alray.errors import SpecError
from alray.strategies import STRATEGIES, canonical, custom_name, identity, parse
from alray.strategies.explaining import opening_of, options_of
from alray.strategies.objects import text_of
from alray.strategies.questions.arms import QUESTIONS, ActiveLearning, PartialFeedback
from alray.strategies.questions.descriptions import QUESTION_DESCRIPTIONS


def said(*words, width=80):
    ended = CliRunner(env={"COLUMNS": str(width)}).invoke(main, ["strategies", *words])
    return ended.exit_code, ended.output


def test_names_and_options_are_texts_as_those_of_other_strategies():
    assert not {*QUESTIONS} & {*STRATEGIES}
    assert parse("questions:alpf:score=erc") == PartialFeedback(score="erc")
    assert canonical("questions:alpf:score=eig") == "questions:alpf"
    assert identity("questions:alpf") == "questions:alpf:score='eig'"
    assert text_of(PartialFeedback(score="edc")) == "questions:alpf:score=edc"
    assert text_of(ActiveLearning) == "questions:al"
    assert all(custom_name(name) is None for name in QUESTIONS)
    assert parse("questions:al").needs.anything
    assert not parse("questions:passive").needs.anything


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("questions", "are written questions:NAME.*valid are: passive, aq, al, alpf"),
        ("questions:alp", "there is no name 'alp'; did you mean 'alpf'"),
        ("questions:score=eig", "are written questions:NAME"),
        ("questions:alpf:score=best", "option score"),
        ("questions:alpf:by=margin", "did you mean|valid are: score"),
        ("questions:passive:score=eig", "it has no options"),
    ],
)
def test_what_is_no_name_or_option_is_refused(text, message):
    with pytest.raises(SpecError, match=message):
        parse(text)


@pytest.mark.parametrize("width", [60, 80])
def test_they_are_listed_and_explained(width):
    assert "alray strategies questions" in said()[1]
    code, text = said("questions", width=width)
    assert code == 0
    assert all(name in text for name in QUESTIONS)
    table = text.partition("\n\n")[0].splitlines()
    assert max(map(len, table)) <= width
    code, text = said("questions:alpf", width=width)
    assert code == 0
    assert "score=eig|erc|edc  [default: eig]" in text
    assert "Hu, Lipton, Anandkumar" in text


def test_each_is_described_and_every_option_explained():
    assert list(QUESTION_DESCRIPTIONS) == list(QUESTIONS)
    for name in QUESTIONS:
        assert QUESTION_DESCRIPTIONS[name].chooses
        assert QUESTION_DESCRIPTIONS[name].cost
        assert opening_of(name)
        assert all(option.meaning and option.default for option in options_of(name)), name
