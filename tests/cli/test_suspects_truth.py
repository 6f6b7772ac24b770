"""`alray pool suspects --truth`: what is printed, by hand and as typed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from alray.cli.display.suspects import print_suspects
from alray.statistics.proportion import wilson
from alray.studies.suspects import confident, finding
from alray.studies.suspects.confident import Judgement
from alray.studies.suspects.finding import Planted, Suspects
from alray.studies.suspects.truth import Checked, with_truth
from tests.helpers.command import alray
from tests.helpers.narrow import WIDTHS, assert_whole, shown
from tests.helpers.records import documented, schema
from tests.helpers.studies import write_pool
from tests.helpers.suspects import suspects_table

QUICK = ("--folds", "2", "--set", "training.passive_epochs=1", "--set", "model.width=8")


def checked_of(wrong, found, right, alarms, unknown, suspects, outside=()):
    shares = [(found, wrong), (alarms, right), (found, found + alarms)]
    numbers = (wrong, found, right, alarms, unknown, suspects, len(outside), outside)
    return Checked("checked", *numbers, *(wilson(float(of), float(n)) for of, n in shares))


def suspects_of(checked, planted=None):
    """Return a finding of 40 labels, of which the first three rows are wrong, right and unknown."""
    own = np.linspace(0.01, 0.9, 40)
    table = suspects_table(own, 30)
    truths = np.array(["ships", "signs_and_symbols/flags", *[None] * 38], dtype=object)
    return Suspects(with_truth(table, truths), 0, planted, checked)


SAMPLE = checked_of(12, 9, 88, 5, 1000, 150, ("planes", "ships"))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "found",
    [
        suspects_of(SAMPLE),
        suspects_of(SAMPLE, Planted(100, "structured", 150, 84, 51)),
        suspects_of(checked_of(12, 12, 4, 3, 525, 30)),
    ],
)
def test_no_number_is_cut(width, found):
    headings = ("rank", "id", "label")
    assert_whole(lambda console: print_suspects(console, found, 20, None), width, headings)


def text_of(checked, planted=None):
    found = suspects_of(checked, planted)
    return " ".join(shown(lambda to: print_suspects(to, found, 0, None), 80).split())


def test_a_sample_says_how_many_are_found_with_intervals_and_for_what_they_hold():
    text = text_of(SAMPLE)
    assert (
        "Column 'checked' contradicts 12 labels, of which 9 are suspect (75.0 %, 95 % interval 46.8 to 91.1 %). It "
        "confirms 88 labels, of which 5 are suspect too (5.7 %, 95 % interval 2.5 to 12.6 %). 1,000 labels are unknown "
        "to it." in text
    )
    assert "2 are contradicted by a class that no label of the pool has: planes, ships." in text
    assert "if the objects with a truth were drawn at random" in text
    assert "--plant 100" not in text


def test_where_all_is_known_there_is_no_interval():
    text = text_of(checked_of(12, 9, 88, 5, 0, 14))
    assert "12 labels, of which 9 are suspect (75.0 %). It confirms" in text
    assert "No label is unknown to it." in text
    assert "interval" not in text
    assert "at random" not in text


def test_few_labels_have_no_share():
    text = text_of(checked_of(1, 1, 9, 0, 30, 6))
    assert (
        "contradicts 1 label, of which 1 is suspect. It confirms 9 labels, of which 0 are suspect too. 30 labels are "
        "unknown to it." in text
    )
    assert "at random" not in text
    assert "Column 'checked' contradicts no label. It" in text_of(checked_of(0, 0, 40, 2, 0, 2))


def test_where_suspects_were_looked_at_nothing_says_that_all_wrong_ones_are_found():
    text = text_of(checked_of(12, 12, 4, 3, 525, 30))
    assert (
        "Column 'checked' contradicts 12 labels, of which 12 are suspect. It confirms 4 labels, of which 3 are suspect "
        "too. 525 labels are unknown to it. Of 30 suspects 15 have a truth, of 511 other labels 1: these were not "
        "looked at alike, so it does not show how many of the pool's wrong labels are found."
        in text
    )
    assert (
        "15 suspects, of which 12 are wrong (80.0 %, 95 % interval 54.8 to 93.0 %); the share"
        in text
    )
    assert "for this pool: --plant 100" in text
    every = text_of(checked_of(12, 12, 18, 18, 10, 30))
    assert "30 suspects, of which 12 are wrong (40.0 %)." in every


@pytest.mark.parametrize(("found", "uneven"), [(0, False), (10, False), (21, True), (100, True)])
def test_only_what_chance_does_not_explain_is_uneven(found, uneven):
    """Of 1,000 labels 100 are suspect, and 100 are known: of these 10 suspects are expected, 2.8 more or less."""
    assert checked_of(100, found or 3, 0, 0, 900, 100).uneven == uneven


def test_where_all_labels_are_suspect_none_was_looked_at_more_often():
    assert not checked_of(12, 12, 3, 3, 25, 40).uneven


def test_what_was_planted_is_said_too():
    text = text_of(SAMPLE, Planted(100, "uniform", 150, 84, 51))
    assert "contradicts 12 labels" in text
    assert "of 100 labels that were made wrong" in text


def test_in_the_list_what_is_not_known_is_blank():
    found = suspects_of(SAMPLE)
    short = replace(found, table=found.table.assign(id=[f"o{number}" for number in range(40)]))
    lines = shown(lambda to: print_suspects(to, short, 3, None), 80).splitlines()
    rows = {line.split()[0]: line for line in lines if line[:4].strip().isdigit()}
    assert "truth" in "".join(lines[:2])
    assert rows["1"].split()[-4:-2] == ["ships", "yes"]
    assert rows["2"].split()[-3] == "no"
    assert rows["3"].split()[-3] == "geography"


def test_names_of_columns_and_classes_are_shown_as_one_line():
    strange = replace(SAMPLE, column="a\x1b[31m", outside_classes=("sh\nips", "x"))
    assert "\x1b" not in text_of(strange)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Return a pool of 60 objects; of the first 20 the right label is known, and two labels are wrong."""
    truths = [f"class-{number % 3}" for number in range(20)]
    truths[4], truths[7] = "class-0", "class-7"
    folder = tmp_path_factory.mktemp("checked")
    return write_pool(
        folder / "posts.parquet", objects=60, checked=truths + [None] * 40, none=[None] * 60
    )


@pytest.fixture
def stand_in(monkeypatch):
    """Stand in for cleanlab, which need not be installed: the fifth label and the sixth are suspect."""

    def judge(labels, probabilities):
        own = probabilities[np.arange(len(labels)), labels]
        return Judgement(np.isin(np.arange(len(labels)), (4, 5)), own, own)

    monkeypatch.setattr(confident, "find_spec", lambda _: True)
    monkeypatch.setattr(finding, "judge", judge)


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_the_table_has_both_columns(source, tmp_path, name):
    path = tmp_path / name
    done = alray("pool", "suspects", source, *QUICK, "--truth", "checked", "--out", path)
    assert done.exit_code == 0, done.output
    said = " ".join(done.stdout.split())
    assert "contradicts 2 labels, of which 1 is suspect. It confirms 18 labels, of" in said
    assert "40 labels are unknown to it" in said
    assert "1 is contradicted by a class that no label of the pool has: class-7." in said
    table = pd.read_csv(path) if name.endswith("csv") else pq.read_table(path).to_pandas()
    assert table["truth"].isna().sum() == table["wrong"].isna().sum() == 40
    assert table[table["wrong"].eq(other=True)]["id"].tolist()[0] == "object-4"
    if name.endswith("parquet"):
        tables = documented()
        wanted = [*tables["suspects"], *tables["suspects with a truth"]]
        assert list(schema(path).items()) == [(name, kind) for name, kind, _ in wanted]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("chekced", "no column 'chekced'; did you mean 'checked'?"),
        ("none", "column 'none' is null or empty in all 60 rows"),
        ("label", "is the column of the labels that are judged"),
    ],
)
def test_a_column_that_cannot_be_used_is_refused(source, monkeypatch, column, message):
    monkeypatch.setattr(confident, "find_spec", lambda _: True)
    monkeypatch.setattr(finding, "out_of_sample", None)
    done = alray("pool", "suspects", source, "--truth", column)
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert message in " ".join(done.stderr.split())
