"""The facts that a reader needs to assess a study and to repeat it, as a page lists them."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from alray.analysis.sweep.full_data import BY_TRUE_LABELS
from alray.analysis.sweep.labels_outside import labels_outside
from alray.analysis.sweep.made_by import made_by
from alray.analysis.wording import count, joined
from alray.pools.builtin import pool_name
from alray.reporting.sources import Source
from alray.settings.base import flatten
from alray.settings.common import unusual_parts
from alray.settings.crowd import CrowdSpec
from alray.settings.estimators import class_of
from alray.settings.questions import QuestionsSpec
from alray.studies.recorded_choices import recorded_precision

ONE_SPLIT = "the same for all seeds: intervals hold for this split alone, and another would change the numbers"


def facts_of(source: Source, ceilings: pd.DataFrame) -> dict[str, str]:
    """Return the facts of a sweep; `ceilings` as in `FullDataSplit`."""
    manifest, settings = source.manifest, source.settings
    if not settings:
        return {"table": source.path.name, "arms": f"{source.runs['arm'].nunique()}"}
    classes = source.train_classes
    pool = str(manifest.get("pool") or pool_name(str(settings["pool"]["source"])))
    if classes:
        pool += f", {sum(classes.values()):,} objects of {len(classes)} classes to learn from"
    split = settings["split"]
    outside = labels_outside(manifest).words
    versions = {"alray": manifest.get("alray"), "Python": manifest.get("python")}
    return {
        "pool": pool,
        "fingerprint": str(manifest.get("pool_fingerprint", "unknown")),
        "split": f"{_split(split)}{_groups(settings['pool'])}; {_drawn(split)}; metrics on "
        f"{settings['metric_split']}",
        "labels": f"{_labels(settings)}{outside and f' {outside} outside the budget'}",
        **_crowd(settings),
        **_questions(settings),
        **_evaluated(settings),
        **_full_data(ceilings, by_crowd=bool(settings.get("crowd"))),
        **_scored(source),
        **_compat(settings),
        "seeds": ", ".join(map(str, settings["seeds"])),
        **_fitted(settings),
        **_made_by(source.runs),
        **provenance(manifest, versions),
    }


def _crowd(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return who answers, where it is not the pool's labels."""
    crowd = settings.get("crowd")
    return {"crowd": CrowdSpec.model_validate(crowd).words} if crowd else {}


def _questions(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return what is asked in the place of labels, where that is yes/no questions."""
    questions = settings.get("questions")
    if not questions:
        return {}
    return {"yes/no questions": QuestionsSpec.model_validate(questions).words}


def _fitted(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return what the network is, and how it is fitted."""
    model, training = settings["model"], settings["training"]
    if class_of(model["name"]) is not None:
        options = "".join(f", {name} {value}" for name, value in model["options"].items())
        return {
            "model": f"{model['name']}{options}",
            "training": "a fresh classifier on all labels in each round; no labels are held out",
        }
    return {
        "model": _network(model),
        "training": f"Adam {training['lr']:g}, batch size {training['batch_size']}, BatchNorm "
        f"{training['batch_norm']}, {training['mode']}",
    }


def _network(model: Mapping[str, Any]) -> str:
    """Return a network's name with the settings that act on it; of its parts those that are not the usual ones."""
    if model["name"] == "linear":
        return "linear: softmax regression on all features"
    parts = [f"{key} {value}" for key, value in unusual_parts(model).items()]
    sizes = f"width {model['width']}, dropout {model['dropout']:g}"
    return ", ".join([model["name"], sizes, *parts])


def _split(split: Mapping[str, Any]) -> str:
    if split.get("column"):
        return f"as column {split['column']} gives it"
    return f"validation {split['validation']:g}, test {split['test']:g}"


def _drawn(split: Mapping[str, Any]) -> str:
    """Return whether seeds have splits of their own, and what intervals over seeds therefore hold for."""
    if split["per"] == "study":
        return ONE_SPLIT
    return f"{'its validation part is ' if split.get('column') else ''}drawn anew for each seed"


_BEGUN = {
    "random": "at random",
    "centroid": "nearest to the centres of as many clusters",
    "typiclust": "most typical of their clusters (TypiClust)",
    "stratified": "at random within clusters",
}
"""Initial selection: what the labels to begin with are."""


def _labels(settings: Mapping[str, Any]) -> str:
    """Return how many labels a run has, from the first to the last."""
    initial, rounds, query = (settings[name] for name in ("initial", "rounds", "query"))
    begun = f"{initial:,} {_BEGUN[settings.get('initial_selection', 'random')]}"
    if settings.get("initial_draw") == "with_replacement":
        begun += ", drawn with replacement (an object counts as often as it was drawn)"
    if rounds == 0:
        return begun
    budget = initial + rounds * query
    varied = _varied(settings.get("vary") or {})
    return f"{begun}, then {rounds:,} rounds of {query:,}: {budget:,}{varied}"


def _varied(vary: Mapping[str, Any]) -> str:
    names = [name for name in ("initial", "query") if name in vary]
    return f"; where {joined(names)} varies, rounds follow to end there" if names else ""


def _compat(settings: Mapping[str, Any]) -> dict[str, str]:
    if settings.get("compat") != "original":
        return {}
    return {
        "compat": "original: batch rule, early stopping, metrics, initial labels and split as in the published study, "
        "where the command does not say otherwise"
    }


def _evaluated(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return where curves have their points, where that is not after every round."""
    every = settings.get("evaluate_every", 1)
    return {"evaluated": f"in round 0, then every {every:,} rounds"} if every > 1 else {}


def _groups(pool: Mapping[str, Any]) -> str:
    column = pool.get("group_by")
    return f", objects of equal {column} in one part" if column else ""


def _made_by(runs: pd.DataFrame) -> dict[str, str]:
    sentence = made_by(runs)
    return {"runs": sentence} if sentence else {}


def provenance(manifest: Mapping[str, Any], versions: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts about the software, the machine, the time and the command; `versions` come first of theirs."""
    versions = {**versions, **manifest.get("versions", {})}
    return {
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items() if number),
        "machine": str(manifest.get("machine", {}).get("processor", "unknown")),
        "begun": str(manifest.get("begun", "unknown")),
        "ended": str(manifest.get("ended") or "not yet"),
        "command": str(manifest.get("command", "")),
    }


def _scored(source: Source) -> dict[str, str]:
    """Return which candidates were scored, where these were not all."""
    settings = source.settings
    if settings.get("candidates"):
        return {"scored": f"{settings['candidates']:,} random candidates a round"}
    screen = settings.get("screen")
    if not screen:
        return {}
    ranked_by = _ranked_by(screen, source.manifest)
    text = (
        f"exactly {screen['share']:.0%} of the candidates, ranked by {ranked_by}; all of them every {screen['every']} "
        "rounds"
    )
    recalls = source.rounds["screen_recall"].dropna()
    if len(recalls):
        text += (
            f"; of the exact choice the screen would have let through {recalls.mean():.1%} (mean over "
            f"{len(recalls):,} rounds that scored all; lowest {recalls.min():.0%})"
        )
    return {"scored": text}


def _ranked_by(screen: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    precision = screen.get("precision") or recorded_precision(manifest) or "int8"
    return {"int8": "8-bit scores", "bf16": "bfloat16 scores"}[precision]


def _full_data(ceilings: pd.DataFrame, *, by_crowd: bool) -> dict[str, str]:
    parts = []
    for row in ceilings.to_dict("records"):
        seeds = "mean of " * (row["seeds"] > 1) + count(row["seeds"], "seed")
        variant = f" with {row['variant']}" if row["variant"] else ""
        parts.append(
            f"accuracy {row['accuracy']:.3f}{variant} ({row['labels']:,} labels, {seeds})"
        )
    if by_crowd and parts:
        parts.append(BY_TRUE_LABELS)
    return {"full data": "; ".join(parts)} if parts else {}


def setting_texts(settings: Mapping[str, object]) -> dict[str, str]:
    """Return settings by dotted name, as text."""
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in flatten(settings).items()
    }
