"""A part's section of the page: verdicts with their numbers, pictures, and tables of arms and comparisons."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import fill

from alray.analysis.sweep.arms import ArmCurves
from alray.analysis.wording import interval, share, signed, whole
from alray.statistics.paired import Interval, mean_interval
from studies.reproduction.claims import Claim
from studies.reproduction.evidence import Evidence
from studies.reproduction.parts import Part
from studies.reproduction.pictures import pictures, pictures_of_none
from studies.reproduction.rules import Effect, Found
from studies.reproduction.special_claims import tiny_batch_effects
from studies.reproduction.tables import correlation_table, markdown, window_lines

Judged = Mapping[tuple[Claim, str], Found]

TITLES = {"icons": "icons", "twin": "the twin", "mnist": "MNIST"}


def section(evidence: Evidence, part: Part, judged: Judged, out: Path) -> list[str]:
    """Return the blocks of a part's section, and write its pictures."""
    blocks = [
        f'<a id="{part.name}"></a>\n\n## {part.figures}: {part.title}',
        fill(_NOTES.get(part.name, ""), 120),
    ]
    rows = [
        [claim.text, TITLES.get(data, ""), found.kind, found.number, found.reason]
        for (claim, data), found in judged.items()
        if claim.part == part.name
    ]
    blocks.append(markdown(("claim", "on", "verdict", "number", "reason"), rows))
    for data in part.data:
        blocks += _of_data(evidence, part, data, out)
    for figure in pictures_of_none(evidence, part.name):
        (out / f"{figure.name}.svg").write_bytes(figure.svg())
        blocks.append(f"![{figure.heading}]({figure.name}.svg)")
    if part.name == "windows" and len(evidence.frames.windows):
        blocks.append(window_lines(evidence.frames.windows))
    return [block for block in blocks if block]


def _of_data(evidence: Evidence, part: Part, data: str, out: Path) -> Iterator[str]:
    arms = evidence.arms(part.name, data)
    found = evidence.frames.correlations
    of_data = found[(found["data"] == data) & (found["grouping"] == "score")]
    if not arms and not (part.correlations and len(of_data)):
        return
    yield f"### On {TITLES[data]}"
    for figure in pictures(evidence, part.name, data):
        name = f"{part.name}-{data}-{figure.name}.svg"
        (out / name).write_bytes(figure.svg())
        yield f"![{figure.heading}]({name})"
    if part.correlations:
        yield correlation_table(of_data)
        return
    yield _arms_table(evidence, part, data, arms)
    yield _pairs_table(evidence, part, data)
    yield _remarks(evidence, part, data)


def _arms_table(evidence: Evidence, part: Part, data: str, arms: Mapping[str, ArmCurves]) -> str:
    """Return a row per arm: accuracy at the end with its interval, seeds, failed runs, seconds."""
    _, runs = evidence.records(part.name, data)
    validation = part.metric != "accuracy"
    rows = []
    order = sorted(arms, key=lambda name: -_last(arms[name]).estimate) if validation else arms
    for name in order:
        arm, last = arms[name], _last(arms[name])
        failed = int(((runs["arm"] == name) & (runs["status"] == "failed")).sum())
        rows.append(
            [
                name,
                whole(arm.labels[-1]),
                f"{share(last.estimate)} {interval(last.low, last.high, share)}".strip(),
                *([_test_accuracy(evidence, part, data, name)] if validation else []),
                f"{len(arm.seeds)}" + (f", {failed} failed" if failed else ""),
                _seconds(evidence, part, data, name),
            ]
        )
    kinds = ["validation accuracy", "test accuracy"] if validation else ["accuracy at the end"]
    heading = ("arm", "labels", *kinds, "seeds", "passive phase, s" if validation else "s a round")
    return markdown(heading, rows)


def _last(arm: ArmCurves) -> Interval:
    return mean_interval(arm.values("accuracy")[:, -1])


def _test_accuracy(evidence: Evidence, part: Part, data: str, name: str) -> str:
    arm = part.arms[name]
    rounds = evidence.frames.rounds
    chosen = (rounds["data"] == data) & (rounds["sweep"] == arm.sweep)
    values = rounds.loc[chosen & (rounds["arm"] == arm.recorded), "accuracy"].to_numpy(float)
    last = mean_interval(values)
    return f"{share(last.estimate)} {interval(last.low, last.high, share)}".strip()


def _seconds(evidence: Evidence, part: Part, data: str, name: str) -> str:
    _, runs = evidence.records(part.name, data)
    column = "seconds_per_round" if part.metric == "accuracy" else "passive_seconds"
    value = float(runs.loc[runs["arm"] == name, column].mean())
    return "-" if value != value else f"{value:.2f}"  # noqa: PLR0124 -- NaN


def _pairs_table(evidence: Evidence, part: Part, data: str) -> str:
    """Return a row per comparison: areas, ends and labels saved."""
    rows = []
    single = all(len(each.labels) == 1 for each in evidence.pairs(part.name, data).values())
    for names in evidence.pairs(part.name, data):
        effects = [
            evidence.area(part.name, data, *names),
            *([] if single else [evidence.end(part.name, data, *names)]),
            *([] if single else [evidence.saved(part.name, data, *names)]),
        ]
        rows.append([*names, *("" if effect is None else effect.text for effect in effects)])
    if not rows:
        return ""
    kinds = (
        ["difference"] if single else ["area", "accuracy at the end", "labels saved at the end"]
    )
    return markdown(("arm", "against", *kinds), rows)


def _remarks(evidence: Evidence, part: Part, data: str) -> str:
    """Return what a part's numbers say beside its claims, in a sentence, or nothing."""
    if part.name == "batches":
        return _batch_remark(evidence, data)
    if part.name == "modes":
        tuned, fresh = (
            evidence.seconds("modes", data, name) for name in ("random", "random, scratch")
        )
        if tuned > 0 and fresh > 0:
            return (
                f"A round of random choice takes {tuned:.2f} s with an epoch of fine-tuning and {fresh:.2f} s from "
                f"fresh weights, {fresh / tuned:.1f} times as long."
            )
    if part.name == "frozen":
        whole_gain = evidence.area("frozen", data, "BALD, frozen", "random")
        own = evidence.area("frozen", data, "BALD, frozen", "random, frozen")
        if whole_gain is not None and own is not None:
            rest = whole_gain.estimate - own.estimate
            return (
                f"Of the difference {signed(whole_gain.estimate)} between BALD with frozen BatchNorm and random with "
                f"live BatchNorm, {signed(own.estimate)} is the strategy's and {signed(rest)} the training's."
            )
    return ""


def _batch_remark(evidence: Evidence, data: str) -> str:
    effects: dict[str, dict[str, Effect]] = {
        column: tiny_batch_effects(evidence, data, column) for column in ("accuracy", "train_loss")
    }
    if not effects["accuracy"]:
        return ""
    told = "; ".join(
        f"{strategy}: accuracy {effects['accuracy'][strategy].text}, training loss "
        f"{effects['train_loss'][strategy].text}"
        for strategy in effects["accuracy"]
    )
    return fill(
        "Fixed batches minus published ones, in the rounds whose last batch is tiny minus in the other rounds: "
        f"{told}. The last batch is the last step before the network is evaluated and scores: BatchNorm normalises "
        "it by the mean and variance of these few objects, and takes a tenth of them over into its running "
        "statistics.",
        120,
    )


_NOTES = {
    "heads": "Random choice alone, 200 labels a round. Fixed weights are 1 for the fused head, .5 for image and text.",
    "networks": "The passive phase alone. Differences are of validation accuracy, which the study chose by.",
    "batches": "Batches of 512 in all arms, evaluated in every round. An even epoch has batches of 512 to 1,023 whose "
    "sizes differ by one at most; an upsampled one fills the last batch up with objects drawn again.",
    "uncertainty-defaults": "Even batches of 64 in place of 512 by the study's rule.",
    "frozen": "The study never ran random choice with frozen BatchNorm, so its comparison mixes the strategy with the "
    "training; here each training has a random arm of its own.",
    "learning-loss": "The loss predictor trains the network too, so random choice with a predictor is the reference "
    "here, and is itself compared with plain random choice.",
    "ideal": "Oracles: they see the labels, and are diagnostics, no strategies.",
    "digits": "500 labels, then 20 a round. Oracles see the labels.",
    "long": "1,000 labels a round, so that the run to the end of the train part is feasible; the beginning may look "
    "otherwise with queries of 20. At the end all arms know nearly the same labels, so their accuracies meet there.",
    "modes": "100 labels a round. Fresh weights are trained for up to 45 epochs, with early stopping.",
    "correlation": "Groups of 100 objects alike in a score, fine-tuned on beside the initial labels, four base models. "
    "The original's settings are `--compat original`, without its windows: its groups overlap, ours do not.",
    "correlation-digits": "Groups of 100, three base models of 500 labels, evaluated on 1,000 test objects.",
    "windows": "The published code trained on windows that are shifted by one object, and correlated what they teach "
    "with the mean scores of disjoint groups.",
    "costs": "p objects in the pool, k members, q queried objects. Measured are whole margin rounds with 1,000 labels, "
    "and scoring 20,000 objects by BALD, on one core (results/reference/bench/growth.md); q was not varied.",
}
