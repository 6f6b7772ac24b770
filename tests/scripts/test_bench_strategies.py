"""`scripts/bench strategies`: what it measures, how a query may end, and the tables."""

import pandas as pd
import pytest
from click.testing import CliRunner

from alray.settings.libraries import library_of
from alray.strategies import STRATEGIES
from alray.strategies.libraries.catalogue import KNOWN
from benchmarks.__main__ import bench
from benchmarks.harness import tables
from benchmarks.strategies import command, rows
from benchmarks.strategies.rows import COUNTERPARTS, KEY, measured, strategies
from benchmarks.strategies.tables import as_tables, in_order


def test_every_strategy_of_the_registry_is_measured_and_theirs_come_behind():
    names = strategies()
    assert [name for name in names if library_of(name) is None] == list(STRATEGIES)
    assert names.index("skactiveml:Badge") == names.index("badge") + 1
    for text in (text for texts in COUNTERPARTS.values() for text in texts):
        library, name = text.split(":")[:2]
        assert name in KNOWN[library]


@pytest.mark.parametrize(
    ("text", "objects", "least"),
    # The best few of given scores take less than a tick of a coarse clock (10 ms), and may read 0.
    [
        ("coreset", 100_000, 0.01),
        ("learning_loss", 100_000, 0.0),
        ("product_margin", 300, 0.0),
    ],
)
def test_a_query_is_measured_in_a_process_of_its_own(text, objects, least):
    found = measured(text, objects, 5, (60, 4))
    assert found.pop("ended") == "finished"
    assert found.keys() == {"signals_s", "query_s", "megabytes"}
    assert least <= found["query_s"] < 60
    assert 0 <= found["megabytes"] < 500


@pytest.mark.parametrize(
    ("text", "limits", "ended"),
    [
        ("margin", (1e-4, 4), "not finished"),
        ("max_herding", (60, 1e-6), "out of memory"),
        ("skactiveml:DropQuery", (60, 4), "alray.errors.SpecError: strategy 'skactiveml:DropQ"),
    ],
)
def test_a_query_that_takes_too_much_ends(text, limits, ended):
    assert measured(text, 5_000, 5, limits)["ended"].startswith(ended)


def test_what_is_on_record_is_not_measured_again(monkeypatch):
    asked = []

    def measure(*key):
        asked.append(key[:3])
        return {}

    monkeypatch.setattr(rows, "measured", measure)
    known = pd.DataFrame([("margin", 30, 2)], columns=KEY)
    found = list(rows.rows(["margin", "badge"], [30, 40], [2], (1, 1), known))
    assert asked == [("badge", 30, 2), ("margin", 40, 2), ("badge", 40, 2)]
    assert [row["objects"] for row in found] == [30, 40, 40]


def test_a_table_has_a_row_per_strategy_and_says_how_others_ended():
    def row(text, objects, query, ended, query_s=None, megabytes=None):
        figures = {"query_s": query_s, "megabytes": megabytes, "signals_s": 0.5, "limit_s": 9}
        key = {"strategy": text, "objects": objects, "query": query, "processor": "Xeon"}
        return {**key, "ended": ended, **figures}

    frame = pd.DataFrame(
        [
            row("skactiveml:Badge", 3000, 2, "not finished"),
            row("badge", 3000, 20, "finished", 1.5, 1234.5),
            row("badge", 3000, 2, "finished", 0.25, 12.0),
            row("skactiveml:Badge", 3000, 20, "out of memory"),
            row("margin", 200, 2, "ValueError: no"),
        ]
    )
    small, large = as_tables(in_order(frame))
    assert small.rows == [["margin", "0.50", "error", ""]]
    assert "margin, query 2: ValueError: no" in small.notes
    assert large.title == "3,000 candidates x 256: Xeon"
    assert large.columns == ["strategy", "signals", "s 2", "MB 2", "s 20", "MB 20"]
    assert large.rows == [
        ["badge", "0.50", "0.25", "12", "1.50", "1,234"],
        ["skactiveml:Badge", "0.50", "> 9", "", "memory", ""],
    ]
    assert as_tables(in_order(frame[:0])) == []
    # What another processor took stands in a table of its own.
    other = frame.assign(processor="EPYC", query_s=9.0)
    both = as_tables(in_order(pd.concat([frame, other], ignore_index=True)))
    assert [table.title.rpartition(": ")[2] for table in both] == ["EPYC", "Xeon"] * 2
    assert both[3].rows == large.rows


def test_what_another_processor_took_is_kept_and_measured_here(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "REFERENCE", tmp_path)
    words = ["strategies", "--write", "--strategies", "margin", "--sizes", "30", "--queries", "2"]
    figures = {"ended": "finished", "megabytes": 1.0, "signals_s": 0.0}
    for machine, seconds, more in [
        ("EPYC", 1.0, []),
        ("Xeon", 2.0, []),
        ("Xeon", 3.0, []),
        ("EPYC", 4.0, ["--again"]),
    ]:
        found = {**figures, "query_s": seconds}
        monkeypatch.setattr(rows, "measured", lambda *_, found=found: found)
        monkeypatch.setattr(command, "processor", lambda machine=machine: machine)
        done = CliRunner().invoke(bench, [*words, *more])
        assert done.exit_code == 0, done.output
    kept = pd.read_csv(tmp_path / "strategies.csv")
    assert kept[["processor", "query_s"]].values.tolist() == [["EPYC", 4.0], ["Xeon", 2.0]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--strategies", "margn"], "did you mean 'margin'"),
        (["--sizes", "20"], "--queries: fewer than the candidates"),
    ],
)
def test_what_cannot_be_measured_is_refused_first(words, message):
    done = CliRunner().invoke(bench, ["strategies", *words])
    assert done.exit_code == 2
    assert message in done.output
