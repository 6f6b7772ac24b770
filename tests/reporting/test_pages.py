"""The pages of both kinds of study: any text is shown as text, nothing is fetched, and a browser draws every figure."""

import dataclasses
import json
import re
from typing import Any, NamedTuple

import pytest

from alray.reporting.correlation import page as correlation_page
from alray.reporting.figures import Figure
from alray.reporting.page import json_text, policy, vega
from alray.reporting.sweep import page as sweep_page
from tests.helpers import report_frames
from tests.helpers.report_reading import (
    Page,
    correlation_html,
    figures_drawn,
    opened,
    sweep_html,
)
from tests.helpers.sweep_report_frames import Size, results_of

HOSTILE = '</script><img src=x onerror="alert(1)">'


class Shown(NamedTuple):
    """A page with hostile names wherever a name is shown, and how much of some things it shows."""

    html: bytes
    page: Page
    figures: list[Any]
    hostile: int
    fields: int


def of_sweep():
    study = results_of(
        Size(strategies=("random", "margin", f"bald:{HOSTILE}", "ideal_loss")),
        title=HOSTILE,
        facts={"pool": HOSTILE, "command": HOSTILE},
        verdict=HOSTILE,
        problems=(HOSTILE,),
        settings={HOSTILE: HOSTILE},
        links=((HOSTILE, "runs.parquet"),),
        label_cost=0.05,
        currency="EUR",
    )
    html, figures = sweep_html(study)
    # title twice, problem, verdict, pool, command, setting and its value, link; arm in three tables, in the
    # third as the one with most in common too; legend; option
    return Shown(html, Page(html), figures, hostile=15, fields=1)


def of_correlation():
    size = report_frames.Size(labels=("cat", HOSTILE))
    made = report_frames.results(size, title=HOSTILE, sentences=[HOSTILE])
    facts = {**made.facts, "pool": HOSTILE, "command": f"alray correlate {HOSTILE}"}
    study = dataclasses.replace(made, facts=facts)
    html, figures = correlation_html(study)
    # title twice, sentence, pool, classes, command
    return Shown(html, Page(html), figures, hostile=6, fields=2)


@pytest.fixture(scope="module", params=[of_sweep, of_correlation], ids=["sweep", "correlation"])
def shown(request):
    return request.param()


def test_the_page_is_well_formed(shown):
    """Every element is closed by its own end tag, and identifiers are given once."""
    assert shown.page.open == []
    ids = [attributes["id"] for _, attributes in shown.page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    referred = {
        name
        for _, attributes in shown.page.elements
        for name in (attributes.get("aria-labelledby") or "").split()
    }
    assert referred <= set(ids)


def test_hostile_names_are_shown_as_text(shown):
    """No element of theirs exists, and all of them are readable, in the figures' data too."""
    assert shown.page.of("img") == []
    assert len(shown.page.of("script")) == 4
    assert shown.page.words.count(HOSTILE) == shown.hostile
    assert HOSTILE.encode() not in shown.html
    data = json.loads(shown.page.scripts[0])
    drawn = [row for figure in shown.figures for row in data[figure.name]["rows"]]
    assert any(HOSTILE in str(row) for row in drawn)


def test_nothing_is_fetched(shown):
    """No address of another host outside of the Vega library, and links only to files beside the page."""
    text = shown.html.decode().replace(vega(), "")
    schema = "https://vega.github.io/schema/vega-lite/"
    assert set(re.findall(r"https?://[^\"' ]*/", text)) <= {schema}
    assert shown.page.of("link") == []
    assert all("src" not in attributes for _, attributes in shown.page.elements)
    allowed = r"#main|figures/(\w+\.(svg|png))?|\w+(\.parquet|/)"
    assert all(re.fullmatch(allowed, link["href"]) for link in shown.page.of("a"))


def test_the_policy_allows_the_two_scripts_and_nothing_else(shown):
    """Hashes are those of the scripts that stand in the page."""
    (allowed,) = [meta["content"] for meta in shown.page.of("meta") if "http-equiv" in meta]
    assert allowed == policy(shown.page.scripts[2:])
    assert allowed.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in allowed


def test_tables_and_figures_can_be_heard(shown):
    """Tables have captions and header cells with a scope, figures a description, fields a label."""
    page = shown.page
    assert len(page.of("caption")) == len(page.of("table")) > 0
    assert all(attributes.get("scope") for attributes in page.of("th"))
    charts = [attributes for attributes in page.of("div") if "data-figure" in attributes]
    assert len(charts) == len(shown.figures)
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)
    assert len(page.of("label")) == len(page.of("select")) == shown.fields


@pytest.fixture(scope="module", params=["sweep", "correlation"])
def small(request):
    """Return a function that renders a small study, the study, and the names of its findings."""
    if request.param == "sweep":
        size = Size(strategies=("random", "margin"), rounds=4)
        return sweep_page.render, results_of(size), {*sweep_page.FRAMES, "summary"}
    few = report_frames.Size(groups=10, epochs=(1,))
    return correlation_page.render, report_frames.results(few), {"summary", "quantiles", "checks"}


@pytest.mark.parametrize("formats", [("html",), ("png", "csv")])
def test_only_the_formats_asked_for_are_drawn_and_linked(small, formats, monkeypatch):
    for drawn in {"svg", "png"} - {*formats}:
        monkeypatch.setattr(Figure, drawn, None)
    render, study, findings = small
    files = render(dataclasses.replace(study, formats=formats))
    assert {name.rpartition(".")[2] for name in files} == set(formats)
    assert all(files[name].startswith(b"\x89PNG\r\n") for name in files if name.endswith("png"))
    if "csv" in formats:
        written = {name for name in files if name.startswith("findings/")}
        assert written == {f"findings/{name}.csv" for name in findings}
        assert re.match(rb"(arm,strategy|score,queried),", files["findings/summary.csv"])
    if "html" in formats:
        links = {link["href"] for link in Page(files["report.html"]).of("a")}
        assert "#main" in links
        assert not [link for link in links if link.startswith("figures")]


def test_json_cannot_leave_its_script():
    """Whatever it holds; and it reads back as it was."""
    value = {"<!--": "</script><script>", "&": ["é", None, 1.5]}
    assert not set("<>&") & set(json_text(value))
    assert json.loads(json_text(value)) == value
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text([float("nan")])


def test_a_browser_draws_all_figures_without_complaint(shown, tmp_path):
    """It has no message on its console (a refused script would be one)."""
    messages, drawn = opened(shown.html, tmp_path)
    assert messages == []
    assert figures_drawn(drawn) == [figure.name for figure in shown.figures]
