"""The page of a correlation study, made again from its folder."""

import functools

import pytest

from alray import api
from alray.analysis.correlation.summary import summarise
from alray.api import correlate
from alray.errors import SpecError
from alray.reporting.api import report
from tests.helpers.correlation_studies import correlation_settings
from tests.helpers.paths import local
from tests.helpers.studies import write_pool


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of seconds, with its page as `alray correlate` wrote it."""
    folder = tmp_path_factory.mktemp("correlation")
    pool = write_pool(folder / "pool.parquet")
    with pytest.MonkeyPatch.context() as patch:
        quick = functools.partial(summarise, permutations=200, bootstraps=100)
        patch.setattr(api, "summarise", quick)
        return correlate(correlation_settings(pool), results=folder).path


def test_the_page_is_made_again(study, tmp_path):
    """Verdicts, tables and figures are those that the study wrote; only facts about the pool itself may be fewer."""
    made = report(study, out=tmp_path, formats=("html", "csv"))
    assert made.page is not None
    again, first = local(made.page).read_text(), (study / "report.html").read_text()
    for section in ('id="verdicts"', 'id="numbers"', 'id="checks"'):
        start = again.index(section)
        part = again[start : again.index("</section>", start)]
        assert part in first
    assert 'id="shown">' in again
    data = again.partition('id="shown">')[2].partition("</script>")[0]
    assert data in first
    assert {name for name in made.files if name.endswith(".csv")} == {
        "findings/summary.csv",
        "findings/quantiles.csv",
        "findings/checks.csv",
    }


def test_another_outcome_can_be_the_main_one(study, tmp_path):
    made = report(study, out=tmp_path, metric="nll", formats=("html",))
    assert made.page is not None
    assert "Shown: NLL" in local(made.page).read_text()


def test_what_a_correlation_study_has_not_is_refused(study):
    with pytest.raises(SpecError, match="which has no arms and no label cost"):
        report(study, label_cost=0.05)
