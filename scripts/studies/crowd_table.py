"""Which strategy wins where answers are wrong, and how many answers an object pay? Sweeps at equal money, with a crowd.

POOLS are openclipart and icons (both if not given). Each gets two sweeps of eight seeds, which Ray runs: `right`, where
nobody errs and an object gets one answer, and `noisy`, where a middling assessor errs in 20 % of answers, towards
classes that are easily taken for the true one, and an object gets 1, 3 or 5 answers, read by one_coin and by majority.
All arms of a pool end when they have spent as much; what is finished is kept, so the same command goes on.

Each pool has 224 runs: on openclipart of 12 to 84 rounds, twelve minutes on two cores; on icons of 4 to 40 longer ones,
80 minutes beside other work. Writes summary.csv, choices.csv and README.md into the folder --out; what other pools
have there stays.
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pandas as pd

from alray import load
from alray.analysis.sweep.crowd_choices import choices_of
from alray.analysis.sweep.summary import summarise
from alray.analysis.wording import Row
from alray.errors import StoreError
from alray.seeding import generator
from alray.statistics.paired import excludes_zero
from alray.studies.sweep.results import Sweep
from studies.strategies_table import cell

STRATEGIES = ("random", "margin", "entropy", "badge")
SEEDS = 8
COST = 0.05
"""Of an answer."""

POOLS: Mapping[str, Mapping[str, int]] = {
    "openclipart": {"initial": 150, "query": 25, "rounds": 24},
    "icons": {"initial": 1000, "query": 200, "rounds": 10},
}
"""Pool: how its labels grow where an object gets three answers."""

ANSWERS = 3
KINDS = ("right", "noisy")

INTRODUCTION = """# Strategies under a crowd, at equal money

Assessors answer in the place of labels (`scripts/studies/crowd`). *right*: nobody errs, an object gets one answer.
*noisy*: a middling assessor errs in 20 % of answers, towards classes that are easily taken for the true one; an object
gets so many answers as the row says, read as it says. Curves run along money up to the same sum. Numbers in brackets
are 95 % intervals for all arms of a sweep together, paired by seed; **bold** where one leaves out zero.

"""


def crowd_of(kind: str) -> str:
    """Return a sweep's crowd as its option has it."""
    if kind == "right":
        return f"rate=0,skill_spread=0,answers=1,cost={COST}"
    return f"rate=.2,errors=structured,answers={ANSWERS},cost={COST}"


def protocol(pool: str, kind: str) -> dict[str, int]:
    """Return how labels grow in a sweep: where an object gets one answer, as long as three would be paid."""
    own = dict(POOLS[pool])
    if kind == "right":
        answers = ANSWERS * (own["initial"] + own["rounds"] * own["query"])
        own["rounds"] = (answers - own["initial"]) // own["query"]
    return own


def command(pool: str, kind: str, work: Path, seeds: int = SEEDS) -> list[str]:
    """Return the command of a sweep."""
    words = [
        word for key, value in protocol(pool, kind).items() for word in (f"--{key}", str(value))
    ]
    if kind == "noisy":
        words += ["--vary", "crowd.answers=3,1,5", "--vary", "crowd.aggregate=one_coin,majority"]
    return [
        *(sys.executable, "-m", "alray", "sweep", "--pool", pool, "--name", f"{pool}-{kind}"),
        *("--results", str(work), "--no-report", "--seeds", str(seeds), "--evaluate-every", "2"),
        *("--strategies", ",".join(STRATEGIES), "--crowd", crowd_of(kind), *words),
    ]


def summary_of(study: Sweep) -> pd.DataFrame:
    """Return a row per arm: what it learned and paid, and its area's difference to random, along money."""
    rng = generator(study.settings.seed, 0, "bootstrap")
    table = summarise(study.rounds, study.runs, rng)
    last = study.rounds.sort_values("round").drop_duplicates("run_id", keep="last")
    wrong = last.groupby("arm")["wrong_labels"].mean()
    columns = ["arm", "strategy", "variant", "seeds", "labels", "answers", "cost", "accuracy"]
    columns += ["alc_difference", "alc_difference_low", "alc_difference_high", "p"]
    return table[columns].assign(wrong_labels=table["arm"].map(wrong))


def setting(row: Row, settings: Mapping[str, Any]) -> str:
    """Return how an arm's objects are answered about, in words.

    Args:
        row: A row that has a `variant`, such as `answers=1, aggregate=majority`.
        settings: The study's own of its crowd.
    """
    varied: dict[str, Any] = dict(
        part.split("=") for part in str(row["variant"]).split(", ") if part
    )
    number = int(varied.get("answers", settings["answers"]))
    by = varied.get("aggregate", settings["aggregate"])
    if not settings["rate"]:
        return f"right, {number} answer{'s' * (number > 1)}"
    return f"noisy, {number} answer{'s' * (number > 1)}, {by}"


def strategy_table(summary: pd.DataFrame) -> str:
    """Return a Markdown table: a row per setting, what random choice comes to, and the others' differences to it."""
    others = [name for name in dict.fromkeys(summary["strategy"]) if name != "random"]
    heads = ["setting", "labels", "wrong, %", "random, accuracy", *others]
    lines = [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    for name, rows in summary.groupby("setting", sort=False):
        by_strategy = rows.set_index("strategy")
        random = by_strategy.loc["random"]
        cells = [cell(by_strategy.loc[other].to_dict()) for other in others]
        shown = [f"{random['labels']:,.0f}", f"{100 * random['wrong_labels']:.1f}"]
        shown.append(f"{random['accuracy']:.3f}")
        lines.append(f"| {' | '.join([str(name), *shown, *cells])} |")
    return "\n".join(lines) + "\n"


def choice_table(choices: pd.DataFrame, own: str) -> str:
    """Return a Markdown table: a row per setting, each strategy's difference to itself under the study's own."""
    strategies = list(dict.fromkeys(choices["strategy"]))
    heads = [f"against {own}", *strategies]
    lines = [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    for name, rows in choices.groupby("setting", sort=False):
        cells = {row["strategy"]: cell(row) for row in rows.to_dict("records")}
        lines.append(
            f"| {' | '.join([str(name), *(cells.get(each, '') for each in strategies)])} |"
        )
    return "\n".join(lines) + "\n"


def shown_in(rows: pd.DataFrame) -> tuple[int, int]:
    """Return in how many rows an area is shown to be larger, and smaller: the interval leaves out zero."""
    ends = rows[["alc_difference_low", "alc_difference_high"]].to_numpy(float)
    shown = [high for low, high in ends.tolist() if excludes_zero(low, high)]
    worse = sum(high < 0 for high in shown)
    return len(shown) - worse, worse


def said(summary: pd.DataFrame, choices: pd.DataFrame, own: str) -> list[str]:
    """Return what the intervals show, in sentences."""
    lines = []
    for kind in ("right", "noisy"):
        of_kind = summary[summary["setting"].str.startswith(kind)]
        for strategy, rows in of_kind[of_kind["strategy"] != "random"].groupby(
            "strategy", sort=False
        ):
            better, worse = shown_in(rows)
            of = f"{len(rows)} {kind} setting{'s' * (len(rows) > 1)}"
            lines.append(
                f"In {of} {strategy} is shown to be better than random in {better}, and to be worse in {worse}."
            )
    for name, rows in choices.groupby("setting", sort=False) if len(choices) else ():
        better, worse = shown_in(rows)
        better_in = f"better than `{own}` for {better} of {len(rows)} strategies"
        lines.append(f"`{name}` is shown to be {better_in}, and worse for {worse}.")
    return lines


def own_setting(summary: pd.DataFrame) -> str:
    """Return the setting that others are compared with: the noisy study's own, "" where there is none."""
    own = summary[summary["setting"].str.startswith("noisy") & (summary["variant"] == "")]
    return "" if own.empty else str(own["setting"].iloc[0])


def tables_of(pool: str, work: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the summary and the choices of a pool's sweeps, as far as they have been run.

    Raises:
        ClickException: A study of this name asks no crowd.
    """
    summaries, choices = [pd.DataFrame()], pd.DataFrame()
    for kind in KINDS:
        try:
            study = load(work / f"{pool}-{kind}")
        except StoreError:
            continue
        if study.settings.crowd is None:
            raise click.ClickException(f"{study.path} asks no crowd: name another --work")
        values = study.settings.crowd.model_dump()
        table = summary_of(study)
        named = [setting(row, values) for row in table.to_dict("records")]
        summaries.append(table.assign(setting=named, pool=pool))
        if kind == "noisy":
            found = choices_of(study.rounds, study.runs, study.settings.seed)
            of_arm = dict(zip(table["arm"], named, strict=True))
            choices = found.assign(setting=found["arm"].map(of_arm), pool=pool)
    return pd.concat(summaries), choices


def published(pool: str, out: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a pool's summary and choices as they were written before."""
    if not (out / "summary.csv").exists():
        return pd.DataFrame(), pd.DataFrame()
    summary, choices = (
        frame[frame["pool"] == pool]
        for frame in (pd.read_csv(out / f"{name}.csv") for name in ("summary", "choices"))
    )
    return summary.fillna({"variant": ""}), choices


def publish(work: Path, out: Path) -> None:
    """Write the tables and the page of all sweeps that are there; of a pool that has none, what was published stays."""
    summaries, chosen, page = [], [], INTRODUCTION
    for pool in POOLS:
        summary, choices = tables_of(pool, work)
        if not len(summary):
            summary, choices = published(pool, out)
        for kind in KINDS:
            if not len(summary) or not summary["setting"].str.startswith(kind).any():
                click.echo(f"{pool}-{kind} has not been run, and is left out")
        if not len(summary):
            continue
        own = own_setting(summary)
        page += f"## {pool}\n\n{strategy_table(summary)}\n"
        if len(choices):
            page += f"At equal money:\n\n{choice_table(choices, own)}\n"
        page += "\n".join(f"- {line}" for line in said(summary, choices, own)) + "\n\n"
        summaries.append(summary)
        chosen.append(choices)
    if not summaries:
        raise click.ClickException(f"there is no study below {work}: run one first")
    out.mkdir(parents=True, exist_ok=True)
    pd.concat(summaries).to_csv(out / "summary.csv", index=False)
    pd.concat(chosen).to_csv(out / "choices.csv", index=False)
    (out / "README.md").write_text(page.rstrip() + "\n")


@click.command(help=__doc__)
@click.argument("pools", nargs=-1, type=click.Choice(list(POOLS)), metavar="[POOLS]...")
@click.option("--page-only", is_flag=True, help="Write the page again from what is stored.")
@click.option("--seeds", type=click.IntRange(min=1), default=SEEDS, show_default=True)
@click.option("--work", type=Path, default=Path("results/crowd"), show_default=True)
@click.option("--out", type=Path, default=Path("results/reference/crowd"), show_default=True)
def main(pools: tuple[str, ...], seeds: int, work: Path, out: Path, *, page_only: bool) -> None:
    for pool in () if page_only else pools or tuple(POOLS):
        for kind in KINDS:
            code = subprocess.run(command(pool, kind, work, seeds), check=False).returncode
            if code:
                sys.exit(code)
    publish(work, out)


if __name__ == "__main__":
    main()
