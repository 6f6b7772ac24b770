"""What a sweep without rounds says in words: which variant to take, how sure that is, what its numbers are worth."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from alray.analysis.sweep.metrics import metric_title
from alray.analysis.wording import Row, count, interval, is_or_are, joined, share, signed
from alray.statistics.paired import FEWEST_SEEDS


def choice_reading(table: pd.DataFrame, settings: Mapping[str, Any]) -> list[str]:
    """Return paragraphs for below the table of variants: what was left out, what to take, what the numbers are worth.

    Args:
        table: `choosing.choose` of the records.
        settings: The study's settings as plain values.
    """
    rows = table.to_dict("records")
    done = [row for row in rows if row["seeds"]]
    if not done:
        return ["No run has finished."]
    if len(rows) == 1:
        return [
            "There is one variant, so there is nothing to choose between: vary settings, such as --vary "
            "model.width=64,128."
        ]
    chosen = next(row for row in done if row["chosen"])
    parts = [
        _left_out(rows),
        [*_taken(done, chosen), *_others(done)],
        [*_worth(chosen, settings), *_unequal(done)],
    ]
    return [" ".join(part) for part in parts if part]


def _left_out(rows: Sequence[Row]) -> list[str]:
    sentences = []
    for column, text in (("failed", "Runs failed"), ("unfinished", "Runs not finished")):
        named = [f"{row['settings']}: {row[column]}" for row in rows if row[column]]
        if named:
            sentences.append(f"{text} and left out: {'; '.join(named)}.")
    return sentences


def _taken(rows: Sequence[Row], chosen: Row) -> list[str]:
    """Return which variant to take, by which rule."""
    best, title = rows[0], metric_title(str(chosen["metric"]))
    if len(rows) == 1:
        return [f"Only {best['settings']} has finished: there is nothing to compare it with."]
    if chosen is not best:
        return [
            f"Take {chosen['settings']}: with {_parameters(chosen)} instead of {best['parameters']:,} it lies within "
            f"one standard error of the best, {best['settings']} ({signed(chosen['difference'])} validation {title}), "
            "and no difference between the two is shown."
        ]
    most = max(row["paired_seeds"] for row in rows[1:])
    if most < FEWEST_SEEDS:
        return [
            f"Take {best['settings']}, the best so far, which may be luck: with {count(most, 'seed')} no difference "
            f"can be shown. The same command with --seeds {FEWEST_SEEDS} adds seeds and keeps what is done."
        ]
    return [f"Take {best['settings']}: it has the best validation {title}."]


def _others(rows: Sequence[Row]) -> list[str]:
    """Return of which variants it is shown that they are worse than the best, and of which it is not."""
    best, others = rows[0], [row for row in rows[1:] if row["paired_seeds"] >= FEWEST_SEEDS]
    if not others:
        return []
    groups = {
        verdict: [str(row["settings"]) for row in others if row["verdict"] == verdict]
        for verdict in ("worse", "open")
    }
    pairs = count(len(rows) * (len(rows) - 1) // 2, "pair")
    tested = f"in one test of {pairs}, paired by seed"
    few = _too_few(rows)
    if not groups["open"]:
        each = "the other variant" if len(others) == 1 else f"each of the {len(others)} others"
        each = _names(groups["worse"]) if few else each
        return [f"It is shown to be better than {each} ({tested}).", *few]
    names = groups["open"]
    sentence = (
        f"{_names(names)} {is_or_are(len(names))} not shown to differ from {best['settings']}"
    )
    if groups["worse"]:
        sentence += (
            f", and {_names(groups['worse'])} {is_or_are(len(groups['worse']))} shown to be worse"
        )
    sentences = [f"{sentence} ({tested}).", *few]
    if best["chosen"]:
        compared = " of those compared" if few else ""
        sentences.append(
            f"No smaller network{compared} lies within one standard error of {best['settings']}."
            if _is_known(best["parameters"])
            else "How many parameters they have is not on record."
        )
    return sentences


def _too_few(rows: Sequence[Row]) -> list[str]:
    """Return which variants have too few seeds in common with the best one for a difference to be shown."""
    few = [str(row["settings"]) for row in rows[1:] if row["paired_seeds"] < FEWEST_SEEDS]
    if not few:
        return []
    has = "has" if len(few) == 1 else "have"
    return [
        f"{_names(few)} {has} fewer than {FEWEST_SEEDS} seeds in common with {rows[0]['settings']}, too few to compare."
    ]


def _names(names: Sequence[str]) -> str:
    """Return names of variants, each in brackets where it holds a comma, or how many there are of more than four."""
    if len(names) > 4:
        return f"{len(names)} variants"
    return joined([f"({name})" if ", " in name and len(names) > 1 else name for name in names])


def _worth(chosen: Row, settings: Mapping[str, Any]) -> list[str]:
    """Return what the numbers of the chosen variant are worth, by what they were used for."""
    title = metric_title(str(chosen["metric"]))
    sentences = [
        f"On the validation part the variant that comes out best looks better than it is, since it was picked by that "
        f"{title}."
    ]
    if _is_known(chosen["test"]):
        ends = interval(chosen["test_low"], chosen["test_high"], share)
        value = f"{share(chosen['test'])} {ends.replace('(', '(95 % interval ')}".rstrip()
        sentences.append(
            "The test part plays no role in the choice, unless you choose by its column, so there the one taken is "
            f"not flattered: {value}."
        )
    else:
        sentences.append("The test part was not looked at (metric_split: validation).")
    if settings["split"]["per"] == "study" and _is_known(chosen["test_low"]):
        sentences.append("All seeds have one split, and intervals hold for that split alone.")
    # A draw with replacement does not go with holding out a part of the labels.
    clean = "fixed_epochs" if settings.get("initial_draw") == "with_replacement" else "from_labels"
    return [*sentences, *_stopping(_stoppings(settings), clean)]


def _stoppings(settings: Mapping[str, Any]) -> set[str]:
    """Return the values of training.stopping that the study's fits have."""
    varied = (settings.get("vary") or {}).get("training.stopping")
    return set(varied or [settings["training"]["stopping"]])


def _stopping(kinds: Collection[str], clean: str) -> list[str]:
    """Return whether fits have used the validation part; `clean` is the stopping by which they do not."""
    if "held_out" not in kinds:
        return ["No fit has used the validation part."]
    which = "Fits stop" if kinds == {"held_out"} else "Fits with stopping=held_out stop"
    return [
        f"{which} early by the validation part (training.stopping: held_out), which flatters what they reach there "
        f"too; with --set training.stopping={clean} the part is kept for the choice."
    ]


def _unequal(rows: Sequence[Row]) -> list[str]:
    labels = {int(row["labels"]) for row in rows}
    if len(labels) == 1:
        return []
    ends = f"{min(labels):,} to {max(labels):,}"
    return [f"Variants learn from {ends} labels, and more labels are an advantage."]


def _is_known(value: object) -> bool:
    return value is not None and not bool(pd.Series([value]).isna().any())


def _parameters(row: Row) -> str:
    return count(int(row["parameters"]), "parameter")
