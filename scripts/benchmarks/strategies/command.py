"""Seconds and memory of a query by each strategy, beside the same strategy of scikit-activeml and small-text.

Candidates x 256 float32 in 50 classes (a seeded mixture of normals), 2,000 labels, the built-in network. Each query is
measured in a process of its own, on one thread, after a small one that loads what it needs: processor seconds of the
strategy alone, and the most memory that it takes beyond its inputs. The pass that computes its signals is apart.
product_margin, which needs several heads, gets the features as two modalities. With --write, what is on record for
this processor is not measured again, so a measurement may be done in parts; other processors have tables of their own.
"""

import sys
from types import SimpleNamespace
from typing import Any

import click
import pandas as pd

from alray.errors import SpecError
from alray.strategies import parse
from alray.studies.machine import processor
from benchmarks.harness import tables
from benchmarks.harness.options import COUNT, counts
from benchmarks.strategies.rows import KEY, of_small_text, rows, small_text_folder, strategies
from benchmarks.strategies.tables import as_tables, in_order

PACKAGES = ("torch", "numpy", "scikit-learn", "scikit-activeml")
NAME = "strategies"
COLUMNS = [*KEY, "processor"]


def texts(given: str) -> list[str]:
    """Read strategies as `alray sweep` does."""
    return [text.strip() for text in given.split(",") if text.strip()]


@click.command("strategies", help=__doc__)
@click.option("--sizes", default="20000,100000,250000", type=counts, help="Numbers of candidates.")
@click.option("--queries", default="20,2000", type=counts, help="Objects to query.")
@click.option("--strategies", "chosen", type=texts, help="All, if not given.")
@click.option("--limit", default=120, type=COUNT, help="Processor seconds that a query may take.")
@click.option("--gigabytes", default=8, type=COUNT, help="Memory that a query may take.")
@click.option("--again", is_flag=True, help="Measure again what is on record.")
@tables.write_option
def strategies_bench(**options: Any) -> None:
    asked = SimpleNamespace(**options)
    if max(asked.queries) >= min(asked.sizes):
        raise click.BadParameter("--queries: fewer than the candidates of --sizes")
    names = asked.chosen or strategies()
    _check(names)
    print("\n".join(tables.machine(PACKAGES)))
    frame = on_record() if asked.write else pd.DataFrame(columns=COLUMNS)
    here = frame["processor"] == processor()
    if asked.again:
        anew = here & frame["objects"].isin(asked.sizes) & frame["query"].isin(asked.queries)
        anew &= frame["strategy"].isin(names)
        frame, here = frame[~anew], here[~anew]
    limits, found = (asked.limit, asked.gigabytes), list[dict[str, Any]]()
    for row in rows(names, asked.sizes, asked.queries, limits, frame[here]):
        found.append({**row, "limit_s": asked.limit, "processor": processor()})
        print(_told(found[-1]), flush=True)
        if asked.write:
            # After each one, so that nothing is lost where it is stopped.
            _write(in_order(pd.concat([frame, pd.DataFrame(found)], ignore_index=True)))
    whole = in_order(pd.concat([frame, pd.DataFrame(found)], ignore_index=True))
    for table in as_tables(whole):
        tables.print_table(table)


def _check(names: list[str]) -> None:
    """Refuse what is no strategy before anything is measured."""
    if any(of_small_text(name) for name in names):
        sys.path.append(str(small_text_folder()))
    for name in names:
        try:
            parse(name)
        except SpecError as error:
            raise click.BadParameter(f"--strategies: {error}") from None


def on_record() -> pd.DataFrame:
    """Return what was measured before, on this processor and on others."""
    path = tables.REFERENCE / f"{NAME}.csv"
    return pd.read_csv(path) if path.exists() else pd.DataFrame(columns=COLUMNS)


def _write(frame: pd.DataFrame) -> None:
    tables.write_reference(NAME, frame, as_tables(frame), PACKAGES)


def _told(row: dict[str, Any]) -> str:
    figures = f"{row['query_s']:.2f} s, {row['megabytes']:.0f} MB" if "query_s" in row else ""
    return f"{row['strategy']}, {row['objects']:,} x {row['query']:,}: {figures or row['ended']}"
