"""Which rule for when to stop labelling is to be trusted? Replays rules over the finished sweeps STUDY...

Writes stopping-rules.csv (a row per study and rule), stops.csv (a row per run and rule) and README.md into the folder
--out. Runs with a strategy that needs the labels are left out. Takes seconds.

A run that a rule never stops counts with its end. `hindsight` is no rule: it stops where the arm's mean curve first
comes within --within of its best, which only a finished study knows, so it says what there was to spare. Intervals are
t intervals over studies and seeds; the arms of one seed are averaged first: they share a split and initial labels.
"""

from collections.abc import Sequence
from pathlib import Path

import click
import pandas as pd

from alray.analysis.stopping_rules.base import StoppingRule
from alray.analysis.stopping_rules.registry import rules_of
from alray.analysis.sweep.stopping_rules.words import missing
from alray.analysis.wording import share
from alray.errors import AlrayError
from alray.reporting.sources import find_results, read_sweep
from alray.reporting.stopping import replayed
from alray.statistics.paired import mean_interval
from alray.studies import manifest
from alray.studies.folder import Folder

HINDSIGHT = "hindsight"
INTRODUCTION = """# Which stopping rule to trust

Rules for when to stop labelling, replayed over {runs} finished runs of {studies} (`scripts/studies/stopping_rules`).
lost: accuracy at the arm's best budget less that where the rule stops; spared: share of the end's labels that are not
bought; with 95 % intervals over {units} pairs of study and seed. A run that is never stopped counts with its end.
`hindsight` is no rule: the first budget at which the arm's mean curve is within {within:g} of its best.

"""


def stops_of(
    path: Path, rules: dict[str, StoppingRule], within: float
) -> tuple[pd.DataFrame, list[str]]:
    """Return a row per run and rule of a study, hindsight among the rules, and sentences on what is not known.

    Raises:
        AlrayError: The study cannot be read.
    """
    source = read_sweep(find_results(path), None)
    found = replayed(source, "accuracy", None, rules)
    stops = pd.concat([found.stops, _hindsight(source.rounds, found.stops, within)])
    stops = stops[~stops["oracle"].astype(bool)]
    stops.insert(0, "study", path.name)
    return stops, [f"{path}: {sentence}" for sentence in missing(found)]


def _hindsight(rounds: pd.DataFrame, stops: pd.DataFrame, within: float) -> pd.DataFrame:
    """Return a row per run of what could have been spared."""
    rows = stops.drop_duplicates(["arm", "seed"]).assign(rule=HINDSIGHT)
    known = rounds[rounds["accuracy"].notna()]
    made = []
    for arm, of_arm in rows.groupby("arm", sort=False):
        curves = known[known["arm"] == arm].pivot(
            index="seed", columns="labels", values="accuracy"
        )
        curves = curves.loc[of_arm["seed"]]
        mean = curves.mean()
        at = float(mean.index[(mean >= mean.max() - within).to_numpy().argmax()])
        reached = curves[at].to_numpy(float)
        spared = of_arm["end_labels"].to_numpy(float) - at
        made.append(
            of_arm.assign(
                stopped=spared > 0,
                stop_labels=at,
                stop_value=reached,
                lost=of_arm["best"].to_numpy(float) - reached,
                spared_labels=spared,
                spared=spared / of_arm["end_labels"].to_numpy(float),
            ).drop(columns="round")
        )
    return pd.concat(made, ignore_index=True)


def judged(stops: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """Return a row per rule, and value of the columns `by`, those that lose least first.

    Columns: by, rule, runs, stopped (share of them), lost with its ends, lost_worst, spared with its ends.
    """
    rows = []
    for key, found in stops.groupby([*by, "rule"], sort=False):
        units = found.groupby(["study", "seed"])[["lost", "spared"]].mean()
        rows.append(
            {
                **dict(zip([*by, "rule"], key, strict=True)),
                "runs": len(found),
                "stopped": found["stopped"].astype(bool).mean(),
                **mean_interval(units["lost"].to_numpy(float)).columns("lost"),
                "lost_worst": found["lost"].max(),
                **mean_interval(units["spared"].to_numpy(float)).columns("spared"),
            }
        )
    return pd.DataFrame(rows).sort_values([*by, "lost"], kind="stable", ignore_index=True)


def as_table(table: pd.DataFrame, by: Sequence[str] = ()) -> str:
    """Return a Markdown table of rules."""
    heads = [*by, "rule", "runs", "stopped", "lost", "worst run", "spared"]
    lines = [heads, ["---"] * len(heads)]
    for row in table.to_dict("records"):
        names = ("spared", "spared_low", "spared_high")
        spared = [
            f"{round(100 * row[name]) + 0:d}" for name in names
        ]  # + 0: no minus before a zero
        lines.append(
            [
                *(str(row[name]) for name in (*by, "rule", "runs")),
                f"{100 * row['stopped']:.0f} %",
                f"{share(row['lost'])} ({share(row['lost_low'])}, {share(row['lost_high'])})",
                share(row["lost_worst"]),
                f"{spared[0]} % ({spared[1]}, {spared[2]})",
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def command_of(path: Path) -> str:
    """Return the command that a sweep was begun with."""
    return str(manifest.read(Folder(path), warn=False)["command"])


def to_trust(table: pd.DataFrame, within: float) -> str:
    """Return which rules lose less than `within`, by the upper end of their interval, and what they spare."""
    rules = table[(table["rule"] != HINDSIGHT) & (table["stopped"] > 0)]
    safe = rules[rules["lost_high"] < within].sort_values("spared", ascending=False)
    costly = rules[rules["lost_high"] >= within].sort_values("lost")
    never = table.loc[table["stopped"] == 0, "rule"]
    best = table.loc[table["rule"] == HINDSIGHT, "spared"].iloc[0]
    said = [
        f"A mean loss of {share(within)} or more is ruled out (by the interval's upper end) for: "
        f"{_with(safe, 'spared')}. Hindsight spares {100 * best:.0f} %.",
        f"It is not for: {_with(costly, 'lost')}.",
    ]
    if len(never):
        said.append(f"Never stop here, at their defaults: {', '.join(never)}.")
    return " ".join(said) + "\n"


def _with(rules: pd.DataFrame, what: str) -> str:
    texts = [
        f"{row['rule']} ({'loses ' + share(row['lost']) + ', ' if what == 'lost' else ''}spares "
        f"{100 * row['spared']:.0f} %)"
        for row in rules.to_dict("records")
    ]
    return ", ".join(texts) or "none"


@click.command(help=__doc__)
@click.argument("studies", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--rule", "rules", multiple=True, default=("all",), help="As in `alray stop`.")
@click.option("--within", type=click.FloatRange(0, 1), default=0.01, show_default=True)
def main(studies: tuple[Path, ...], out: Path, rules: tuple[str, ...], within: float) -> None:
    try:
        made = [stops_of(path, rules_of(rules), within) for path in studies]
    except AlrayError as error:
        raise click.UsageError(str(error)) from None
    stops = pd.concat([frame for frame, _ in made], ignore_index=True)
    for sentence in (sentence for _, sentences in made for sentence in sentences):
        click.echo(sentence, err=True)
    out.mkdir(parents=True, exist_ok=True)
    stops.round(6).to_csv(out / "stops.csv", index=False)
    by_study = judged(stops, ["study"])
    by_study.round(6).to_csv(out / "stopping-rules.csv", index=False)
    runs = stops.drop_duplicates(["study", "arm", "seed"])
    text = INTRODUCTION.format(
        studies=", ".join(stops["study"].unique()),
        runs=len(runs),
        units=len(runs.drop_duplicates(["study", "seed"])),
        within=within,
    )
    whole = judged(stops)
    tables = [to_trust(whole, within), as_table(whole)]
    made_by = [f"- {path.name}: `{command_of(path)}`\n" for path in studies]
    if stops["study"].nunique() > 1:
        tables.append(as_table(by_study, ["study"]))
    page = "\n".join([*tables, f"Sweeps:\n\n{''.join(made_by)}"])
    (out / "README.md").write_text(text + page)
    click.echo("\n".join(tables))


if __name__ == "__main__":
    main()
