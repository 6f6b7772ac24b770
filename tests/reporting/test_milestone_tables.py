"""The tables of what arms need and save on the way: each measured by what its own reference reaches."""

import dataclasses
import json

import pandas as pd
import pytest

from alray.analysis.sweep.comparison import compare
from alray.analysis.sweep.summary import summarise
from alray.analysis.wording import share
from alray.reporting.sweep.page import figures_of
from alray.reporting.sweep.style import arms_of
from alray.reporting.sweep.tables import milestones
from tests.helpers.intervals import generator
from tests.helpers.report_reading import Page, sweep_html
from tests.helpers.sweep_frames import CONTROL, study_with_own_reference
from tests.helpers.sweep_report_frames import results_of


def tables_of(rounds, runs):
    """Return the milestones of a study, and their tables."""
    frame = compare(rounds, pd.DataFrame(), runs, None, generator()).milestones
    arms = arms_of(summarise(rounds, runs, generator()))
    return frame, milestones(frame, arms, "accuracy", (None, ""))


@pytest.fixture(scope="module")
def made():
    return tables_of(*study_with_own_reference())


def test_each_reference_has_a_table_of_its_own(made):
    """learning_loss is not set beside an accuracy that it never reaches."""
    frame, tables = made
    assert list(tables) == [("", "random"), ("", CONTROL)]
    assert [list(stages[-1].cells) for stages in tables.values()] == [
        [CONTROL, "margin"],
        ["learning_loss"],
    ]
    of_reference = frame[frame["share"] == 1].drop_duplicates("against").set_index("against")
    for (_, reference), stages in tables.items():
        target = share(of_reference["target"][reference])
        assert stages[-1].spent == f"accuracy {target} with 180 labels"
        assert {cell[-1] for stage in stages for cell in stage.cells.values()} == {""}


def test_a_cell_over_other_seeds_names_its_own_target():
    """The reference's mean over three seeds is not its mean over eight."""
    rounds, runs = study_with_own_reference()
    runs = runs[(runs["arm"] != CONTROL) | (runs["seed"] < 3)]
    frame, tables = tables_of(rounds, runs)
    cells = tables["", "random"][-1].cells
    own = frame[(frame["arm"] == CONTROL) & (frame["share"] == 1)]["target"].item()
    assert cells["margin"][-1] == ""
    assert cells[CONTROL][-1] == f"at accuracy {share(own)}, over 3 paired seeds"


def test_the_page_names_the_reference_of_each_table_and_no_single_one_for_all_arms():
    rounds, runs = study_with_own_reference()
    results = dataclasses.replace(
        results_of(),
        comparison=compare(rounds, pd.DataFrame(), runs, None, generator()),
        summary=summarise(rounds, runs, generator()),
    )
    words = Page(sweep_html(results)[0]).words
    assert "Labels needed and saved against random arm" in words
    assert f"Labels needed and saved against {CONTROL} arm" in words
    assert "as accurate as its reference is" in words
    assert "At its reference's final accuracy" in words
    assert "Where along the curve is an arm better than its reference?" in words
    figures = {figure.name: figure for figure in figures_of(results, arms_of(results.summary))}
    assert figures["savings"].shown == "labels saved against its reference"
    assert "accuracy that its reference reaches" in json.dumps(figures["savings"].chart.to_dict())
