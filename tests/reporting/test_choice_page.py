"""The page of a sweep without rounds: its table first, dots with intervals, and no curves."""

import dataclasses

import pytest

from alray import api
from alray.errors import SpecError
from alray.reporting.notebook import load
from alray.reporting.sources import find_results, read_sweep
from alray.reporting.sweep.choice_page import figures_of_choice, render_choice
from tests.helpers.report_reading import (
    Page,
    assert_without_gaps,
    figures_drawn,
    opened,
    texts_of,
)
from tests.helpers.studies import settings


@pytest.fixture(scope="module")
def study(pool, tmp_path_factory):
    values = settings(pool, rounds=0, seeds=6, vary={"model.width": [4, 8]}, strategies=["random"])
    return load(api.sweep(values, results=tmp_path_factory.mktemp("results")).path)


@pytest.fixture(scope="module")
def source(study):
    return read_sweep(find_results(study), None)


def test_the_table_comes_first_and_every_figure_is_drawn(source, tmp_path):
    files, words = render_choice(source, source.path, "accuracy", ("html", "csv"))
    page = Page(files["report.html"])
    assert_without_gaps(page)
    assert (
        page.words.index("Variants")
        < page.words.index("Take width=")
        < page.words.index("Figures")
    )
    for text in ("against the best", "seconds a fit", "20 at random", words.splitlines()[0]):
        assert text in page.words
    assert "0 rounds" not in page.words
    messages, drawn = opened(files["report.html"], tmp_path)
    assert messages == []
    assert figures_drawn(drawn) == ["variants", "choice_differences", "costs"]


def test_figures_name_every_variant(source, study):
    figures = {each.name: each for each in figures_of_choice(source, study.choice)}
    for name in ("variants", "costs"):
        assert {"width=4", "width=8"} <= set(texts_of(figures[name]))
    rows = figures["variants"].rows
    assert (rows["part"].value_counts() == 2 * 6 + 2).all(), "a mark per seed, and a mean"


def test_few_seeds_equal_networks_and_validation_alone_leave_figures_out(source, study):
    """None is drawn of what does not exist."""
    same = study.choice.assign(parameters=5)
    assert [each.name for each in figures_of_choice(source, same)] == [
        "variants", "choice_differences",
    ]  # fmt: skip
    alone = study.choice.iloc[:1]
    (figure,) = figures_of_choice(source, alone.assign(test=float("nan")))
    assert set(figure.rows["part"]) == {"validation"}
    few = study.choice.assign(difference_low=float("nan"), difference_high=float("nan"))
    differences = figures_of_choice(source, few)[1]
    assert "too few seeds for intervals" in differences.caption
    assert differences.svg()


def test_a_notebook_shows_variants(study):
    html = study._repr_html_()
    for text in ("<td>width=4</td>", "validation accuracy", "against the best", "Take width="):
        assert text in html
    assert study.chart().to_dict()["title"]["text"] == "What does each variant reach?"
    with pytest.raises(SpecError, match="there is no chart 'curves'"):
        study.chart("curves")
    longer = dataclasses.replace(study, settings=study.settings.model_copy(update={"rounds": 3}))
    with pytest.raises(SpecError, match="has 3 rounds, and choice is of a study with rounds=0"):
        assert longer.choice is None
