"""A campaign in its folder: begin, choose, add, read. Each step holds the folder's lock, and writes whole files."""

import datetime as dt
import logging
import time
from dataclasses import replace

import numpy as np
import pandas as pd

from alray.custom.code import CustomCode
from alray.errors import StoreError
from alray.pools.builtin import pool_name
from alray.pools.columns.metadata import name_some
from alray.pools.open_pool import OpenLabels, OpenPool, read_open_labels, read_open_pool
from alray.settings.base import validate
from alray.settings.campaign import CampaignSpec
from alray.settings.former import as_recorded
from alray.settings.run import SCHEMA
from alray.studies import manifest
from alray.studies.campaign.adding import Accept, Added, what_becomes
from alray.studies.campaign.choosing_in_parts import Chooser, not_in_parts
from alray.studies.campaign.ledger import Ledger, empty_ledger, read_ledger
from alray.studies.campaign.made_batch import MadeBatch, made_batch, objects_of
from alray.studies.campaign.next_batch import Batch, Wish, next_batch
from alray.studies.campaign.store import (
    ANSWERS,
    BATCHES,
    OBJECTS,
    PREDICTIONS,
    ROUNDS,
    CampaignStore,
)
from alray.studies.provenance import made_by, made_on
from alray.studies.rounds.record import Record

_logger = logging.getLogger(__name__)

FROM = "from"
"""The manifest's entry for the study that a campaign takes its settings from."""


def begin(
    store: CampaignStore, spec: CampaignSpec, pool: OpenPool, code: CustomCode, origin: Record
) -> None:
    """Begin a campaign in a folder where nothing lies yet.

    Args:
        store: The folder.
        spec: The settings, checked, with `name` and `initial` filled in.
        pool: The pool.
        code: What the user supplies.
        origin: Entries of the manifest: `command`, and `from` where a study gave the settings.

    Raises:
        StoreError: Something lies there.
    """
    with store:
        require_nothing(store)
        # What a start that was killed has left is no campaign: it lacks the settings, which are written last.
        store.write(OBJECTS, 1, _new_objects(pool.known, empty_ledger(), _now()))
        others = {key: value for key, value in origin.items() if key != "command"}
        store.write_manifest(
            {
                "schema": SCHEMA,
                "kind": manifest.CAMPAIGN,
                **made_by(str(origin["command"])),
                "begun": manifest.now(),
                "pool": pool_name(spec.pool.source),
                manifest.CODE: {"names": {name: dict(each) for name, each in code.files.items()}},
                **made_on(code.versions),
                **others,
            }
        )
        store.write_study(spec.model_dump(mode="json"))


def first_ledger(known: OpenLabels) -> Ledger:
    """Return the ledger of a campaign that begins with these objects."""
    nothing = empty_ledger()
    return replace(nothing, objects=pd.DataFrame(_new_objects(known, nothing, _now())))


def require_nothing(store: CampaignStore) -> None:
    """Refuse a folder in which a study or a campaign lies.

    Raises:
        StoreError: Says what lies there, and what to do.
    """
    if not store.exists():
        return
    kind = manifest.kind_of(store, manifest.read(store, warn=False))
    step = (
        "go on with `alray label next`, or give this one" if kind == manifest.CAMPAIGN else "give"
    )
    raise StoreError(
        f"{store.root} holds {manifest.named_kind(kind)}; {step} another --name: answers are never thrown away"
    )


def settings_of(store: CampaignStore) -> CampaignSpec:
    """Return a campaign's settings.

    Raises:
        StoreError: No campaign lies in the folder.
    """
    manifest.require_kind(store, manifest.CAMPAIGN)
    record = as_recorded(CampaignSpec, store.read_study())
    return validate(CampaignSpec, record, f"{store.root}/study.yaml")


def choose_next(
    store: CampaignStore,
    objects: int,
    chooser: Chooser = not_in_parts,
    *,
    new: bool = False,
    again: bool = False,
) -> MadeBatch:
    """Return the next batch, on record before it is returned.

    Where nothing has been answered about the last one, that is it: `new` chooses another. A command that is killed
    leaves nothing behind, or a whole batch.

    Raises:
        AlrayError: No object is left, or the pool cannot be used.
    """
    spec = settings_of(store)
    with store:
        ledger = read_ledger(store)
        pool = read_open_pool(spec.pool, spec.show, in_parts=spec.in_parts)
        last = store.last_batch
        if last and not new and not again and not ledger.answered_in(last):
            return _made(pool, ledger, spec, last)
        now = _now()
        arrived = _new_objects(pool.known, ledger, now)
        notes = [*pool.notes, *_about_pool(pool.known, ledger, arrived)]
        if arrived:
            rows = pd.DataFrame(arrived)
            ledger = replace(ledger, objects=pd.concat([ledger.objects, rows], ignore_index=True))
        wish = Wish(last + 1, objects, again)
        if spec.in_parts:
            _logger.info("reading the pool, to standardise its features and to fit")
        begun_at = time.perf_counter()
        batch = next_batch(spec, pool, ledger, wish, store.predictions(last), chooser)
        took = time.perf_counter() - begun_at
        if arrived:
            store.append(OBJECTS, arrived)
        _write(store, replace(batch, round={**batch.round, "choose_s": took}), wish.number, now)
        made = _made(pool, read_ledger(store), spec, wish.number)
        return replace(made, is_new=True, notes=(*notes, *batch.notes, *made.notes))


def add_answers(store: CampaignStore, table: pd.DataFrame, source: str, accept: Accept) -> Added:
    """Add answers to the ledger, all of them or, where some cannot be, none.

    Args:
        store: The folder.
        table: A row per answer, as `alray.exchange.answers` has it.
        source: Where they come from.
        accept: What is accepted besides answers to what was asked, of known classes.

    Raises:
        SpecError: An answer names an unknown class, or none of the answers can be used.
        StoreError: Another process writes, or the folder holds no campaign.
    """
    spec = settings_of(store)
    with store:
        ledger = read_ledger(store)
        ids = frozenset(map(str, read_open_labels(spec.pool).ids))
        added = what_becomes(table, ledger, ids, ledger.classes(spec.classes), accept, source)
        if added.rows:
            now = _now()
            store.append(ANSWERS, [{**row, "added": now} for row in added.rows])
        return added


def _write(store: CampaignStore, batch: Batch, number: int, now: dt.datetime) -> None:
    """Write a batch; its own file comes last: what belongs to no batch is written over by the next command."""
    if batch.network is not None:
        store.write_network(number, batch.network)
    store.write(PREDICTIONS, number, batch.predictions)
    store.write(ROUNDS, number, [batch.round])
    store.write(BATCHES, number, [{**row, "asked": now} for row in batch.rows])


def _made(pool: OpenPool, ledger: Ledger, spec: CampaignSpec, number: int) -> MadeBatch:
    """Return a batch of the ledger, as assessors get it."""
    wanted = frozenset(objects_of(ledger, number))
    rows = np.flatnonzero([str(each) in wanted for each in pool.known.ids])
    return made_batch(ledger, spec, number, pool.show(rows), pool.known.path)


def _new_objects(known: OpenLabels, ledger: Ledger, now: dt.datetime) -> list[Record]:
    labels = known.labelled()
    return [
        {"id": each, "label": labels.get(each), "seen": now}
        for each in map(str, known.ids)
        if each not in ledger.seen
    ]


def _about_pool(known: OpenLabels, ledger: Ledger, arrived: list[Record]) -> list[str]:
    """Return what is otherwise in the pool than it was, a line each."""
    there, labels = frozenset(map(str, known.ids)), known.labelled()
    gone = [each for each in ledger.objects["id"] if each not in there]
    changed = [
        f"{each} ({ledger.initial[each]!r}, now {labels.get(each, 'no label')!r})"
        for each in ledger.initial
        if each in there and labels.get(each) != ledger.initial[each]
    ]
    given = [each for each in labels if each in ledger.seen and each not in ledger.initial]
    found = []
    if arrived:
        labelled = sum(row["label"] is not None for row in arrived)
        found.append(
            f"{len(arrived):,} objects have joined the pool, {labelled:,} of them labelled"
        )
    if gone:
        found.append(f"{len(gone):,} objects have left the pool: {name_some(gone)}")
    if changed:
        found.append(
            f"{len(changed):,} labels of the pool are not what they were at the start, and stay as they were: "
            f"{name_some(changed)}"
        )
    if given:
        found.append(
            f"{len(given):,} objects have a label in the pool that they had not at the start, which is not used: "
            f"{name_some(given)}; add labels with `alray label add`"
        )
    return [f"{known.path}: {line}" for line in found]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
