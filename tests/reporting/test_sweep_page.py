"""The page of a sweep: verdict first, every arm in a table, names as text, nothing fetched, nothing lost."""

import dataclasses
import json
import re

import numpy as np
import pytest

from alray.analysis.sweep.comparison import compare
from alray.analysis.sweep.summary import summarise
from alray.reporting.page import policy, vega
from alray.reporting.sweep.page import FRAMES, figures_of, page_of, render
from alray.reporting.sweep.pair import side_by_side
from alray.reporting.sweep.style import arms_of
from tests.helpers.report_reading import Page, opened
from tests.helpers.sweep_report_frames import VARIED, Size, frames_of, results_of

HOSTILE = '</script><img src=x onerror="alert(1)">'


def page_and_figures(results):
    arms = arms_of(results.summary)
    figures = figures_of(results, arms)
    return Page(page_of(results, figures, arms)), figures


@pytest.fixture(scope="module")
def study():
    """A study with hostile names wherever a name is shown."""
    strategies = ("random", "margin", f"bald:{HOSTILE}", "ideal_loss")
    facts = {"pool": HOSTILE, "command": HOSTILE}
    return results_of(
        Size(strategies=strategies),
        title=HOSTILE,
        facts=facts,
        verdict=HOSTILE,
        problems=(HOSTILE,),
        settings={HOSTILE: HOSTILE},
        links=((HOSTILE, "runs.parquet"),),
        label_cost=0.05,
        currency="EUR",
    )


@pytest.fixture(scope="module")
def page(study):
    return page_and_figures(study)[0]


def test_the_page_is_well_formed(page):
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    referred = {
        name
        for _, attributes in page.elements
        for name in (attributes.get("aria-labelledby") or "").split()
    }
    assert referred <= set(ids)


def test_hostile_names_are_shown_as_text(page):
    """In title, facts, problems, verdict, settings, links, arms, options and data: no element of theirs exists."""
    assert page.of("img") == []
    assert len(page.of("script")) == 4
    # title twice, problem, verdict, pool, command, setting and its value, link; arm in two tables; legend; option
    assert page.words.count(HOSTILE) == 13
    assert any(HOSTILE in str(row) for row in json.loads(page.scripts[0])["curves"]["rows"])


def test_the_verdict_stands_before_tables_and_problems_before_the_verdict():
    page, _ = page_and_figures(results_of(problems=("2 runs failed.",)))
    places = [
        page.words.index(text) for text in ("2 runs failed.", "margin saves labels.", "Arms")
    ]
    assert places == sorted(places)
    assert "Missing" not in page_and_figures(results_of())[0].words


def test_every_arm_has_its_line_in_the_tables():
    """Accuracy with its interval, the area's difference, p, labels saved, and the judgement of the whole curve."""
    results = results_of()
    page, _ = page_and_figures(results)
    for row in results.summary.to_dict("records"):
        accuracy, low, high = (
            f"{row[name]:.3f}"[1:] for name in ("accuracy", "accuracy_low", "accuracy_high")
        )
        assert f"{accuracy} ({low} to {high})" in page.words
        if row["against"] == "random":
            assert f"{row['alc_difference']:+.3f}".replace("0.", ".") in page.words
            saved = (
                f"{round(100 * row['labels_saved'])} % ({round(100 * row['labels_saved_low'])} to"
            )
            assert saved in page.words
    assert (
        page.words.count("\u25b2 better") == 0
    )  # six seeds and three arms: no corrected p below .05
    assert page.words.count("? not shown") == 3
    assert page.words.count("the reference") == 1


def test_milestones_name_accuracy_labels_saving_and_money():
    results = results_of(label_cost=0.05, currency="EUR")
    page, _ = page_and_figures(results)
    frame = results.comparison.milestones
    row = frame[(frame["arm"] == "margin") & (frame["share"] == 1.0)].iloc[0]
    assert f"accuracy {row['accuracy']:.3f}"[:9] in page.words
    assert f"{round(row['arm_labels'])} labels" in page.words
    worth = 0.05 * row["random_labels"] * row["saving"]
    assert f"{worth:,.2f} EUR" in page.words
    assert "EUR" not in page_and_figures(results_of())[0].words


def test_parts_of_the_budget_before_the_first_checkpoint_are_left_out():
    """A quarter of 220 labels lies below the 100 that a study begins with."""
    page, _ = page_and_figures(results_of())
    assert "a quarter of the budget" not in page.words
    assert "three quarters of the budget" in page.words


def test_nothing_is_fetched(study, page):
    """No address of another host outside of the Vega library, and links only to files beside the page."""
    text = render(dataclasses.replace(study, formats=("html",)))["report.html"].decode()
    schema = "https://vega.github.io/schema/vega-lite/"
    assert set(re.findall(r"https?://[^\"' ]*/", text.replace(vega(), ""))) <= {schema}
    assert all("src" not in attributes for _, attributes in page.elements)
    links = [attributes["href"] for attributes in page.of("a")]
    assert all(
        re.fullmatch(r"#main|figures/(\w+\.(svg|png))?|runs\.parquet", link) for link in links
    )


def test_the_policy_allows_the_two_scripts_and_nothing_else(page):
    (allowed,) = [
        attributes["content"] for attributes in page.of("meta") if "http-equiv" in attributes
    ]
    assert allowed == policy(page.scripts[2:])


def test_tables_and_figures_can_be_heard(page):
    assert len(page.of("caption")) == len(page.of("table")) > 0
    assert all(attributes.get("scope") for attributes in page.of("th"))
    charts = [attributes for attributes in page.of("div") if "data-figure" in attributes]
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in charts)
    assert len(page.of("label")) == len(page.of("select")) == 1


def test_links_to_pictures_stand_only_where_pictures_are_written():
    page, _ = page_and_figures(results_of(formats=("html",)))
    assert [link["href"] for link in page.of("a")] == ["#main", "runs.parquet"]


@pytest.mark.parametrize(
    ("formats", "endings"), [(("svg",), {"svg"}), (("png", "csv"), {"png", "csv"})]
)
def test_only_the_formats_asked_for_are_written(formats, endings):
    size = Size(strategies=("random", "margin"), rounds=4)
    files = render(results_of(size, formats=formats))
    assert {name.rpartition(".")[2] for name in files} == endings
    if "csv" in formats:
        names = {name for name in files if name.startswith("findings/")}
        assert names == {f"findings/{name}.csv" for name in (*FRAMES, "summary")}
        assert files["findings/summary.csv"].startswith(b"arm,strategy,")
        assert all(
            content.startswith(b"\x89PNG") for name, content in files.items() if "png" in name
        )


def test_small_studies_have_a_page():
    """One seed has no intervals, one arm no comparison; what does not exist is a dash."""
    for size in (Size(seeds=1, rounds=2), Size(strategies=("margin",), seeds=2, rounds=2)):
        page, figures = page_and_figures(results_of(size))
        assert page.open == []
        assert "nan" not in page.words.lower().replace("finan", "")
        assert "<NA>" not in page.words
        assert all(figure.svg() for figure in figures)


def test_arms_without_a_finished_run_are_listed():
    """Their numbers are dashes."""
    frames = frames_of()
    runs = frames["runs"]
    runs.loc[runs["arm"] == "margin", "status"] = "failed"
    summary = summarise(frames["rounds"], runs, np.random.default_rng(0))
    found = compare(**frames, pool_classes=None, rng=np.random.default_rng(0))
    page, _ = page_and_figures(
        dataclasses.replace(results_of(), summary=summary, comparison=found)
    )
    assert re.search(r"margin 0 - - - - - - - \S* ?not compared", page.words)


def test_two_studies_stand_side_by_side():
    """An arm's lines follow each other; facts that differ name their study; verdicts are both there."""
    first = results_of(facts={"pool": "p", "seeds": "6"})
    second = results_of(verdict="It costs labels.", facts={"pool": "p", "seeds": "8"})
    both = side_by_side((first, second), ("old", "new"))
    page, figures = page_and_figures(both)
    assert both.summary["arm"].tolist()[:3] == ["random, old", "random, new", "margin, old"]
    assert "old: margin saves labels. new: It costs labels." in page.words
    assert "pool p seeds old: 6 new: 8" in page.words
    names = [figure.name for figure in figures]
    assert "variants" in names
    curves = figures[0].rows
    assert set(curves["variant"]) == {"old", "new"}
    assert set(curves["strategy"]) == set(first.summary["arm"])


def test_arms_with_varied_settings_keep_their_names_side_by_side():
    """A variant is told apart by its name, as panels are the studies."""
    varied = results_of(VARIED)
    both = side_by_side((varied, varied), ("old", "new"))
    names = ["random", "margin", "random [batch_norm=frozen]", "margin [batch_norm=frozen]"]
    assert both.summary["strategy"].unique().tolist() == names
    assert set(both.summary["variant"]) == {"old", "new"}


@pytest.fixture(scope="module")
def drawn_study():
    return results_of(VARIED, formats=("html",))


def test_a_browser_draws_all_figures_without_complaint(study, drawn_study, tmp_path):
    """With hostile names, and with varied settings: no message on the console, and an SVG in every place."""
    for results in (study, drawn_study):
        messages, drawn = opened(page_bytes(results), tmp_path)
        assert messages == []
        places = re.findall(r'data-figure="(\w+)"[^>]*><svg.*?</svg>', drawn, re.DOTALL)
        assert places == [figure.name for figure in page_and_figures(results)[1]]


def page_bytes(results):
    arms = arms_of(results.summary)
    return page_of(results, figures_of(results, arms), arms)


def test_a_highlighted_strategy_stands_out(drawn_study, tmp_path):
    """Its lines keep their strength, and so does the reference; all others step back."""
    choosing = """<script>
      const waiting = setInterval(() => {
        if (!document.documentElement.hasAttribute("data-drawn")) return;
        clearInterval(waiting);
        const select = document.querySelector("select[name=highlight]");
        select.value = '"random"';
        select.dispatchEvent(new Event("change"));
      }, 50);
    </script>"""
    html = page_bytes(drawn_study).decode()
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html) + choosing
    before = opened(html.encode(), tmp_path)[1]
    messages, after = opened(page.encode(), tmp_path)
    assert messages == []
    faint = 'stroke="#0072B2" stroke-width="1.7" stroke-dasharray="1,0" opacity="0.143"'
    assert faint not in before
    assert faint in after
