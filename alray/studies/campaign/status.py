"""The status of a campaign, from its ledger alone: nothing is fitted, and the pool is not read."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from alray.analysis.campaign.accuracy import accuracy_of
from alray.analysis.campaign.measured import Measured, measured
from alray.analysis.campaign.outlook import Outlook, outlook, outlook_said
from alray.analysis.campaign.status import CampaignStatus, sentences_of
from alray.analysis.campaign.stopping import advice, rules_said
from alray.analysis.campaign.tables import ASSESSOR_COLUMNS, BATCH_COLUMNS
from alray.analysis.targets import check_targets
from alray.assessors.agreement import krippendorff_alpha, several
from alray.settings.campaign import CampaignSpec
from alray.statistics.proportion import FEWEST
from alray.studies import manifest
from alray.studies.campaign.campaign import FROM, settings_of
from alray.studies.campaign.labels import Labels, labels_of
from alray.studies.campaign.ledger import Ledger, read_ledger
from alray.studies.campaign.store import CampaignStore

ENOUGH_ANSWERS, ENOUGH_ASSESSORS = 20, 3
"""Answers about objects that others answered about too, and assessors of such, that a skill is estimated from."""


def read_status(store: CampaignStore, targets: Sequence[float] = ()) -> CampaignStatus:
    """Return the status of the campaign in a folder.

    Args:
        store: The folder.
        targets: Accuracies between 0 and 1 that the user wants.

    Raises:
        SpecError: A target is no share.
        StoreError: No campaign lies there.
    """
    spec = settings_of(store)
    check_targets(targets, "accuracy")
    ledger, rounds = read_ledger(store), store.rounds()
    answered = labels_of(ledger.given, ledger.classes(spec.classes), spec.aggregate)
    batches = _batches(store, ledger, rounds, spec, audit_truth(ledger, spec, answered))
    labels = _labels(ledger, spec)
    numbers = _numbers(ledger, spec, batches, labels)
    shown = _as_rounds(rounds, batches, spec)
    known = _measured(store, ledger, rounds, spec, answered)
    ahead = (
        outlook(known, targets, _most(ledger, spec, numbers))
        if spec.audit
        else Outlook(reason="There is no forecast: the campaign has no audit part (audit = 0).")
    )
    rules = rules_said(shown)
    advised = advice(rules, ahead, numbers, targets)
    said = [] if not numbers["learnt"] else [advised, *outlook_said(ahead, spec.audit)]
    settings, origin = spec.model_dump(mode="json"), manifest.read(store, warn=False).get(FROM, {})
    return CampaignStatus(
        name=str(spec.name),
        numbers=numbers,
        batches=batches.drop(columns="train_loss"),
        labels=labels,
        classes=_classes(ledger, spec, answered),
        assessors=_assessors(ledger, spec),
        rounds=shown,
        rules=rules,
        outlook=ahead,
        advice=advised,
        sentences=sentences_of(numbers, settings, said, origin),
        next_command=_next_command(store, ledger),
    )


_OUTCOMES = {"answers": "used", "skipped": "skipped", "rejected": "rejected"}


def _numbers(
    ledger: Ledger, spec: CampaignSpec, batches: pd.DataFrame, labels: pd.DataFrame
) -> dict[str, Any]:
    """Return the numbers of `NUMBERS`."""
    outcomes = ledger.valid["outcome"].value_counts()
    numbers: dict[str, Any] = {
        "objects": len(ledger.objects),
        "asked": len(ledger.asked),
        "labels": int(labels["labels"].sum()),
        "waiting": int(labels["waiting"].sum()),
        **{name: int(outcomes.get(key, 0)) for name, key in _OUTCOMES.items()},
        "kept_aside": ledger.kept_aside,
        "cost": float(_paid(ledger, spec)["price"].sum()),
        "learnt": 0,
        "accuracy": math.nan,
        "accuracy_low": math.nan,
        "accuracy_high": math.nan,
        "audit_objects": 0,
        "alpha": krippendorff_alpha(ledger.given),
    }
    fitted = batches[batches["train_loss"].notna()]
    if len(fitted):
        last = fitted.iloc[-1]
        names = ("accuracy", "accuracy_low", "accuracy_high")
        numbers |= {name: float(last[name]) for name in names}
        numbers |= {"learnt": int(last["labels"]), "audit_objects": int(last["audit_objects"])}
    return numbers


def _batches(
    store: CampaignStore,
    ledger: Ledger,
    rounds: pd.DataFrame,
    spec: CampaignSpec,
    truth: dict[str, dict[str, float]],
) -> pd.DataFrame:
    """Return a row per batch, its network measured on the audit part by what is known of that now."""
    groups = audit_groups(ledger)
    of_round, waiting = rounds.set_index("round"), set(ledger.waiting(spec.answers))
    done = ledger.done
    rows = []
    for number, batch in ledger.batches.groupby("batch"):
        predictions = store.predictions(int(str(number)))
        n, found = accuracy_of(predictions, truth, groups)
        shown = found if n >= FEWEST else (math.nan,) * 3
        rows.append(
            {
                "batch": number,
                "asked": len(batch),
                "audit": int((batch["purpose"] == "audit").sum()),
                "answered": int(batch["id"].isin(done).sum()),
                "waiting": int(batch["id"].isin(waiting).sum()),
                "labels": int(of_round["labels"].get(number, 0)),
                "accuracy": shown[0],
                "accuracy_low": shown[1],
                "accuracy_high": shown[2],
                "audit_objects": n,
                "stop_kappa": float(of_round["stop_kappa"].get(number, math.nan)),
                "train_loss": float(of_round["train_loss"].get(number, math.nan)),
            }
        )
    return pd.DataFrame(rows, columns=[*BATCH_COLUMNS, "train_loss"])


def _measured(
    store: CampaignStore,
    ledger: Ledger,
    rounds: pd.DataFrame,
    spec: CampaignSpec,
    answered: Labels,
) -> Measured:
    """Return the networks that were fitted on the audit part's objects."""
    fitted = rounds[rounds["train_loss"].notna()]
    labels = {int(each): int(n) for each, n in zip(fitted["round"], fitted["labels"], strict=True)}
    predictions = {each: store.predictions(each) for each in labels}
    return measured(predictions, labels, audit_truth(ledger, spec, answered), audit_groups(ledger))


def _most(ledger: Ledger, spec: CampaignSpec, numbers: dict[str, Any]) -> int:
    """Return how many labels there can be to learn from, if all objects outside of the audit part had one."""
    unlabelled = len(ledger.objects) - len(ledger.initial)
    return max(int(numbers["learnt"]), len(ledger.initial) + int((1 - spec.audit) * unlabelled))


def audit_truth(ledger: Ledger, spec: CampaignSpec, found: Labels) -> dict[str, dict[str, float]]:
    """Return id: the probability of each class by the answers, of objects that were asked about for the audit."""
    classes = ledger.classes(spec.classes)
    purposes = ledger.asked["purpose"]
    audited = frozenset(purposes.index[purposes == "audit"])
    return {
        each: dict(zip(classes, row.tolist(), strict=True))
        for each, row in zip(found.ids, found.posterior, strict=True)
        if each in audited
    }


def audit_groups(ledger: Ledger) -> dict[str, str]:
    """Return id: group, of the asked objects that have one."""
    groups = ledger.asked["group"]
    return {str(each): str(group) for each, group in groups.items() if not pd.isna(group)}


def _labels(ledger: Ledger, spec: CampaignSpec) -> pd.DataFrame:
    """Return labels, what waits, answers and their cost by where they are from."""
    purposes = ledger.asked["purpose"]

    def sources(ids: Iterable[str]) -> pd.Series:
        return pd.Series([source_of(str(purposes.get(each, ""))) for each in ids], dtype=object)

    given = [each for each in dict.fromkeys(ledger.given["task"]) if each not in ledger.initial]
    labels, waiting = sources(given), sources(ledger.waiting(spec.answers))
    paid = _paid(ledger, spec)
    by_answer, named = sources(paid["task"]), (paid["outcome"] == "used").to_numpy()
    rows = [{"source": "start", "labels": len(ledger.initial)}]
    rows += [
        {
            "source": source,
            "labels": int((labels == source).sum()),
            "waiting": int((waiting == source).sum()),
            "answers": int(((by_answer == source) & named).sum()),
            "cost": float(paid.loc[(by_answer == source).to_numpy(), "price"].sum()),
        }
        for source in ("initial", "strategy", "audit", "unasked")
    ]
    table = pd.DataFrame(rows).fillna(0)
    return table.astype({"waiting": int, "answers": int})


def source_of(purpose: str) -> str:
    """Return where a label is from, by the purpose of the question; `unasked` where there was none."""
    return purpose or "unasked"


def _classes(ledger: Ledger, spec: CampaignSpec, found: Labels) -> pd.DataFrame:
    classes = ledger.classes(spec.classes)
    likeliest = [classes[code] for code in found.posterior.argmax(1)] if found.ids else []
    names = [
        *ledger.initial.values(),
        *(
            name
            for each, name in zip(found.ids, likeliest, strict=True)
            if each not in ledger.initial
        ),
    ]
    counts = pd.Series(names, dtype=object).value_counts()
    return pd.DataFrame(
        {"class": list(classes), "labels": [int(counts.get(name, 0)) for name in classes]}
    )


def _assessors(ledger: Ledger, spec: CampaignSpec) -> pd.DataFrame:
    """Return a row per assessor, the one with the most answers first."""
    answers = ledger.valid
    skills = _skills(ledger, spec)
    rows = [
        {
            "worker": worker,
            "answers": int((of_one["outcome"] == "used").sum()),
            "skipped": int((of_one["outcome"] == "skipped").sum()),
            "rejected": int((of_one["outcome"] == "rejected").sum()),
            "seconds": float(of_one["seconds"].median()),
            "skill": skills.get(str(worker), math.nan),
        }
        for worker, of_one in answers.groupby("worker")
    ]
    table = pd.DataFrame(rows, columns=list(ASSESSOR_COLUMNS))
    return table.sort_values(["answers", "worker"], ascending=[False, True], ignore_index=True)


def _skills(ledger: Ledger, spec: CampaignSpec) -> dict[str, float]:
    """Return assessor: estimated share of right answers, of those who answered enough that others did too."""
    shared = several(ledger.given)
    if shared["worker"].nunique() < ENOUGH_ASSESSORS:
        return {}
    found = labels_of(shared, ledger.classes(spec.classes), "one_coin").skills
    numbers = shared["worker"].value_counts()
    return {worker: skill for worker, skill in found.items() if numbers[worker] >= ENOUGH_ANSWERS}


def _paid(ledger: Ledger, spec: CampaignSpec) -> pd.DataFrame:
    """Return the answers that count, with their `price`: as the file says, else the settings' where one was given."""
    valid = ledger.valid[ledger.valid["outcome"] != "rejected"].reset_index(drop=True)
    usual = (valid["outcome"] == "used") * spec.cost
    return valid.assign(price=valid["cost"].astype(float).fillna(usual.astype(float)))


def _as_rounds(rounds: pd.DataFrame, batches: pd.DataFrame, spec: CampaignSpec) -> pd.DataFrame:
    """Return the rounds with the columns by which sweeps' rounds are known, and their accuracy."""
    names = ["batch", "accuracy", "accuracy_low", "accuracy_high", "audit_objects"]
    measured = batches[names].rename(columns={"batch": "round"})
    found = rounds.merge(measured, on="round", how="left")
    about: dict[str, Any] = {
        "study": str(spec.name),
        "run_id": str(spec.name),
        "arm": spec.strategy,
        "strategy": spec.strategy,
        "variant": "",
        "oracle": False,
        "full_data": False,
        "seed": 0,
    }
    for position, (name, value) in enumerate(about.items()):
        found.insert(position, name, value)
    return found


def _next_command(store: CampaignStore, ledger: Ledger) -> str:
    last, synced = store.last_batch, store.read_project() is not None
    if last and not ledger.answered_in(last):
        return "alray label sync" if synced else "alray label add FILE"
    return "alray label next 200 --sync" if synced else "alray label next 200"
