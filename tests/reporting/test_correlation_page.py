"""The page of a correlation study: it holds every verdict, shows any text as text, and asks the network for nothing."""

import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest

from alray.reporting.correlation.frames import choose
from alray.reporting.correlation.page import figures_of, page_of, render
from alray.reporting.page import json_text, policy, vega
from tests.helpers.report_frames import Size, results
from tests.helpers.report_reading import Page, opened

HOSTILE = '</script><img src=x onerror="alert(1)">'


def html_of(study):
    """Return the page alone: printing figures takes longer."""
    choice = choose(study.summary, study.outcomes, study.main_outcome, study.main_epochs)
    return Page(page_of(study, figures_of(study, choice), choice))


@pytest.fixture(scope="module")
def study():
    """A study with hostile names wherever a name is shown."""
    made = results(np.random.default_rng(7), Size(labels=("cat", HOSTILE)))
    facts = {**made.facts, "pool": HOSTILE, "command": f"alray correlate {HOSTILE}"}
    return dataclasses.replace(made, title=HOSTILE, facts=facts, sentences=[HOSTILE, "Fine."])


@pytest.fixture(scope="module")
def files(study):
    return render(study)


@pytest.fixture(scope="module")
def page(files):
    return Page(files["report.html"])


def test_the_files_of_a_report(files):
    """A page, and each figure twice."""
    names = ("scatter", "quantiles", "rho_by_dose", "groupings", "uplift")
    expected = {
        "report.html",
        *(f"figures/{name}.{end}" for name in names for end in ("svg", "png")),
    }
    assert set(files) == expected
    assert all(files[f"figures/{name}.png"].startswith(b"\x89PNG\r\n") for name in names)


def test_the_page_is_well_formed(page):
    """Every element is closed by its own end tag, and identifiers are given once."""
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    referred = {
        name
        for _, attributes in page.elements
        for name in (attributes.get("aria-labelledby") or "").split()
    }
    assert referred <= set(ids)


def test_hostile_names_are_shown_as_text(page, files):
    """In title, facts, command, sentences and data: no element of theirs exists, and all of them are readable."""
    assert page.of("img") == []
    assert len(page.of("script")) == 4
    assert page.words.count(HOSTILE) == 6  # title twice, sentence, pool, classes, command
    assert HOSTILE.encode() not in files["report.html"]
    assert any(HOSTILE in str(row) for row in json.loads(page.scripts[0])["scatter"]["rows"])


def test_every_row_of_the_summary_is_in_a_table(page, study):
    """Rho of every row, and the verdict and bound of every row that is compared with random groups."""
    shown = [data for data in page.text if re.fullmatch(r"[+-](1\.000|\.\d{3})", data)]
    for rho in study.summary["rho"]:
        text = f"{rho:+.3f}".replace("0.", ".", 1)
        assert text.replace("-.000", "+.000") in shown
    compared = study.summary[study.summary["uplift"].notna()]
    tables = "".join(page.text).split("Numbers")[1]
    for verdict, count in compared["verdict"].value_counts().items():
        text = "no effect larger than 0.0040" if verdict == "no effect" else verdict
        assert tables.count(text) == count


def test_the_overview_shows_the_main_outcome(page, study):
    """A verdict for each score, grouping and dose, before the tables."""
    overview = page.words.split("Numbers")[0]
    main = study.summary[
        (study.summary["outcome"] == "accuracy") & study.summary["uplift"].notna()
    ]
    for verdict, count in main["verdict"].value_counts().items():
        assert overview.count(f" {verdict} ") == count


def test_nothing_is_fetched(page, files):
    """No address of another host outside of the Vega library, and links only to files beside the page."""
    text = files["report.html"].decode().replace(vega(), "")
    schema = "https://vega.github.io/schema/vega-lite/"
    assert set(re.findall(r"https?://[^\"' ]*/", text)) <= {schema}
    assert page.of("link") == []
    assert all("src" not in attributes for _, attributes in page.elements)
    links = [attributes["href"] for attributes in page.of("a")]
    assert all(
        re.fullmatch(r"#main|figures/(\w+\.(svg|png))?|\w+(\.parquet|/)", link) for link in links
    )


def test_the_policy_allows_the_two_scripts_and_nothing_else(page):
    """Hashes are those of the scripts that stand in the page."""
    (allowed,) = [
        attributes["content"] for attributes in page.of("meta") if "http-equiv" in attributes
    ]
    assert allowed == policy(page.scripts[2:])
    assert allowed.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in allowed


def test_tables_and_figures_can_be_heard(page):
    """Tables have captions and header cells with a scope, figures a description, fields a label."""
    tables = page.of("table")
    assert len(page.of("caption")) == len(tables) > 0
    assert all(attributes.get("scope") for attributes in page.of("th"))
    charts = [attributes for attributes in page.of("div") if "data-figure" in attributes]
    assert len(charts) == 5
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in charts)
    assert len(page.of("label")) == len(page.of("select")) == 2


def test_sentences_stand_before_tables(page):
    assert page.words.index("Fine.") < page.words.index("Verdicts")


def test_another_outcome_and_dose_can_be_the_main_ones(study):
    """Page and figures say what they show."""
    other = dataclasses.replace(study, main_outcome="nll", main_epochs=5)
    page = html_of(other)
    assert "Shown: NLL after 5 epochs, groups by score ." in page.words
    chosen = [option["value"] for option in page.of("option") if "selected" in option]
    assert chosen == ["5", '"score"']
    scatter, *_ = figures_of(other, choose(other.summary, other.outcomes, "nll", 5))
    svg = scatter.svg().decode()
    assert "NLL after 5 epochs, groups by score" in svg
    assert "fall in NLL (nats) against control" in svg


@pytest.mark.parametrize("change", [{"main_outcome": "speed"}, {"main_epochs": 3}])
def test_a_choice_that_does_not_exist_is_refused(study, change):
    with pytest.raises(ValueError, match=r"the summary has no outcome .* doses: \[1, 5, 20\]"):
        render(dataclasses.replace(study, **change))


@pytest.mark.parametrize(
    "size",
    [
        Size(bases=1, seeds=1, doses=(3,), scores=("loss",), groupings=("score",)),
        Size(bases=1, groups=10, doses=(1, 2), groupings=("within_class", "random")),
    ],
    ids=["smallest", "one base, linear doses"],
)
def test_small_studies_have_a_page(size):
    """One base, seed, dose, score or grouping is enough; what does not exist is a dash."""
    made = results(np.random.default_rng(3), size)
    gaps = made.summary.assign(
        seeds_needed=pd.array([None] * len(made.summary), "Int64"), icc=np.nan
    )
    page = html_of(dataclasses.replace(made, summary=gaps, checks=made.checks[:0]))
    assert page.open == []
    assert "nan" not in page.words.lower().replace("finan", "")
    assert "<NA>" not in page.words


def test_a_study_of_random_groups_has_no_verdicts():
    """It is the null alone, and its page says so; there is no uplift to draw."""
    page = html_of(results(np.random.default_rng(3), Size(groupings=("random",))))
    assert "Verdicts" in page.words
    assert "There is none: all groups are random." in page.words
    charts = [place["data-figure"] for place in page.of("div") if "data-figure" in place]
    assert charts == ["scatter", "quantiles", "rho_by_dose", "groupings"]


def test_unreliable_rows_name_the_seeds_they_need(study):
    summary = study.summary.assign(icc=0.1, seeds_needed=1200.5)
    page = html_of(dataclasses.replace(study, summary=summary))
    assert "inconclusive: 1,201 seeds needed" in page.words


def test_json_cannot_leave_its_script():
    """Whatever it holds; and it reads back as it was."""
    value = {"<!--": "</script><script>", "&": ["é", None, 1.5]}
    assert not set("<>&") & set(json_text(value))
    assert json.loads(json_text(value)) == value
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text([float("nan")])


def test_a_browser_draws_all_figures_without_complaint(files, tmp_path):
    """No message on the console (refused scripts and requests would be such), and an SVG in every place."""
    messages, drawn = opened(files["report.html"], tmp_path)
    assert messages == []
    places = re.findall(r'data-figure="(\w+)"[^>]*><svg.*?</svg>', drawn, re.DOTALL)
    assert places == ["scatter", "quantiles", "rho_by_dose", "groupings", "uplift"]
    assert drawn.count('opacity="0.75"') == 5 * 2 * 20


def test_a_chosen_dose_and_grouping_are_shown(files, tmp_path):
    """Captions name them, and other points are drawn."""
    choosing = """<script>
      const waiting = setInterval(() => {
        if (!document.documentElement.hasAttribute("data-drawn")) return;
        clearInterval(waiting);
        for (const [name, value] of [["epochs", "1"], ["grouping", '"random"']]) {
          const select = document.querySelector(`select[name=${name}]`);
          select.value = value;
          select.dispatchEvent(new Event("change"));
        }
      }, 50);
    </script>"""
    html = files["report.html"].decode()
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html) + choosing
    before = opened(files["report.html"], tmp_path)[1]
    messages, after = opened(page.encode(), tmp_path)
    assert messages == []
    assert '<span data-shows="epochs">1</span>' in after
    assert '<span data-shows="grouping">at random</span>' in after
    points = r'<path [^>]*opacity="0.75"[^>]*>'
    assert len(re.findall(points, after)) == 5 * 2 * 20
    assert re.findall(points, after) != re.findall(points, before)
