"""What is asked next: a fit on all labels known, the strategy's choice, and objects of the audit part among it.

Pure: the ledger, the pool and the settings decide all of it, to the bit.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from alray.analysis.wording import count
from alray.errors import SpecError
from alray.networks.products import use_products
from alray.pools.columns.metadata import name_some
from alray.pools.open_pool import OpenPool
from alray.settings.campaign import CampaignSpec
from alray.settings.common import ProductsSpec
from alray.strategies import parse
from alray.studies.campaign.at_hand import AtHand
from alray.studies.campaign.audit import audits_wanted
from alray.studies.campaign.choosing_in_parts import Chooser, not_in_parts
from alray.studies.campaign.fit_and_choose import Picked, fit_and_choose
from alray.studies.campaign.fitting import (
    Learnt,
    learnt_of,
    run_of,
)
from alray.studies.campaign.ledger import Ledger
from alray.studies.campaign.parts import Parts, parts_of
from alray.studies.rounds.record import Record
from alray.studies.rounds.round_draws import RoundDraws


@dataclass(frozen=True)
class Wish:
    """What is asked for.

    Attributes:
        number: Number of the batch.
        objects: How many objects.
        again: Whether objects that were asked about, and have no answer that names a class, come first.
    """

    number: int
    objects: int
    again: bool = False


@dataclass(frozen=True, eq=False)
class Batch:
    """A batch, and what belongs to it.

    Attributes:
        rows: Its objects, without `asked`: the time.
        round: The row of `rounds`, without `choose_s`: the time it took.
        predictions: What the network predicts for the audit part; none without a network.
        network: The network's file, None without one.
        notes: What the user should know, a line each.
    """

    rows: list[Record]
    round: Record
    predictions: list[Record] = field(default_factory=list)
    network: bytes | None = None
    notes: tuple[str, ...] = ()


def next_batch(
    spec: CampaignSpec,
    pool: OpenPool,
    ledger: Ledger,
    wish: Wish,
    before: pd.DataFrame,
    chooser: Chooser = not_in_parts,
) -> Batch:
    """Return the next batch of a campaign.

    Args:
        spec: Its settings, `initial` filled in.
        pool: The pool as it is now.
        ledger: The ledger, with all objects of the pool.
        wish: What is asked for.
        before: What the network of the batch before predicted, as rows of `PREDICTION_COLUMNS`.
        chooser: Who reads a pool that stays in its files.

    Raises:
        SpecError: No object is left.
    """
    parts = parts_of(pool, ledger, spec.seed, spec.audit)
    classes = ledger.classes(spec.classes)
    learnt = learnt_of(ledger, parts, classes, spec)
    again = _again(ledger, parts, wish)
    audits, k = _numbers(spec, ledger, parts, wish, len(again))
    if not len(again) + audits + k:
        raise SpecError(_nothing_left(ledger, parts))
    run = run_of(spec, max(1, k))
    draws = RoundDraws(run, wish.number)
    use_products(ProductsSpec())
    hand = AtHand(spec, pool, parts, learnt, classes)
    chosen = fit_and_choose(hand, k, draws, before, chooser)
    drawn = ("audit", parts.audits[:audits], np.full(audits, np.nan), "random")
    rows = _mixed([*_of_again(ledger, parts, again), chosen.picked], drawn, draws, pool, wish)
    scores = chosen.by_strategy and parse(spec.strategy).needs.anything
    record = {
        **chosen.record,
        "round": wish.number,
        "labels": len(learnt.objects),
        "classes": len(classes),
        "scored": len(parts.candidates) if scores else 0,
    }
    notes = _notes(spec, learnt, wish, rows, by_strategy=chosen.by_strategy)
    return Batch(rows, record, chosen.predictions, chosen.network, notes)


def _again(ledger: Ledger, parts: Parts, wish: Wish) -> list[str]:
    """Return the objects that are asked about again."""
    if not wish.again:
        return []
    return [each for each in ledger.unanswered() if each in parts.row][: wish.objects]


def _numbers(
    spec: CampaignSpec, ledger: Ledger, parts: Parts, wish: Wish, again: int
) -> tuple[int, int]:
    """Return how many objects of the audit part, and how many others, are asked about for the first time."""
    n, asked = wish.objects - again, len(ledger.asked)
    audited = int((ledger.asked["purpose"] == "audit").sum())
    wanted = audits_wanted(spec.audit, asked, audited, n)
    # Where candidates run out, what is left of the audit part has no label either.
    audits = min(max(wanted, n - len(parts.candidates)), len(parts.audits))
    return audits, min(n - audits, len(parts.candidates))


def _of_again(ledger: Ledger, parts: Parts, again: list[str]) -> list[Picked]:
    """Return what is asked about again, each object as it was chosen first."""
    first = ledger.asked.loc[again]
    return [
        (
            str(row["purpose"]),
            parts.rows([str(each)]),
            np.array([row["score"]]),
            str(row["strategy"]),
        )
        for each, row in first.iterrows()
    ]


def _mixed(
    chosen: list[Picked], drawn: Picked, draws: RoundDraws, pool: OpenPool, wish: Wish
) -> list[Record]:
    """Return the rows of a batch: what is chosen in its order, with what is drawn at random positions between it.

    So nothing in a file of tasks tells an assessor which objects measure the accuracy.
    """
    before = {int(each) for picked in chosen[:-1] for each in picked[1]}
    singles = [
        (purpose, int(row), float(score), strategy)
        for purpose, rows, scores, strategy in chosen
        for row, score in zip(rows, scores, strict=True)
    ]
    purpose, rows, _, strategy = drawn
    audits = [(purpose, int(row), math.nan, strategy) for row in rows]
    total = len(singles) + len(audits)
    slots = draws.numpy("batch_order").permutation(total)[: len(audits)]
    of_audit = np.isin(np.arange(total), slots)
    others, measured = iter(singles), iter(audits)
    ordered = [next(measured) if is_audit else next(others) for is_audit in of_audit]
    return [
        {
            "batch": wish.number,
            "position": position,
            "id": str(pool.known.ids[row]),
            "purpose": why,
            "strategy": by,
            "score": None if math.isnan(score) else score,
            "group": (pool.groups[row] or None) if pool.groups is not None else None,
            "again": row in before,
        }
        for position, (why, row, score, by) in enumerate(ordered)
    ]


def _nothing_left(ledger: Ledger, parts: Parts) -> str:
    objects, missing = len(parts.row), len(ledger.unanswered())
    hint = (
        f"; {missing:,} of those that were asked about have no answer that names a class: add answers, or ask about "
        "them once more with --again"
        if missing
        else "; add objects to the pool's files, or write the labels with `alray label export`"
    )
    return f"no object is left to ask about: all {objects:,} of the pool are labelled or were asked about{hint}"


def _notes(
    spec: CampaignSpec, learnt: Learnt, wish: Wish, rows: list[Record], *, by_strategy: bool
) -> tuple[str, ...]:
    found = []
    number = len(learnt.objects)
    if not by_strategy:
        why = (
            f"the strategy chooses from {spec.initial:,} labels on, and {number:,} are known"
            if number < (spec.initial or 0)
            else "a network needs labels of two classes or more"
        )
        found.append(f"chosen by {spec.initial_selection} selection, not by the strategy: {why}")
    if len(rows) < wish.objects:
        found.append(
            f"the batch has {len(rows):,} objects instead of {wish.objects:,}: no more are left"
        )
    if learnt.vanished:
        found.append(
            f"{len(learnt.vanished):,} labelled objects are in the pool no longer, and were not learnt from: "
            f"{name_some(learnt.vanished)}; their answers are kept"
        )
    if learnt.beside:
        labels = count(len(learnt.beside), "label")
        found.append(
            f"{labels} {'is' if len(learnt.beside) == 1 else 'are'} kept and not learnt from, as other objects of the "
            f"same group measure the accuracy: {name_some(learnt.beside)}"
        )
    return tuple(found)
