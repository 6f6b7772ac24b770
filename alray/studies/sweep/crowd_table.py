"""The crowd that a file of answers gives: read and estimated while a study is planned."""

import logging
from collections.abc import Sequence

from alray.assessors.crowd import Confusions
from alray.assessors.table import confusions_of
from alray.errors import SpecError
from alray.pools.answer_table import UNKNOWN, AnswerTable
from alray.pools.reading_answers import read_answer_table
from alray.settings.base import validate
from alray.settings.crowd import CrowdSpec
from alray.settings.sweep import SweepSpec

OF_TABLE = ("crowd.table", "crowd.table_content", "crowd.errors", "crowd.assessors")
"""Settings that a table decides, for all arms of a study alike."""

_logger = logging.getLogger(__name__)


def with_table(study: SweepSpec, classes: Sequence[str]) -> tuple[SweepSpec, Confusions | None]:
    """Return a study whose crowd is filled in from its table of answers, and the confusions of the table's workers.

    The crowd has as many assessors as the table has workers, and the hash of its content, by which settings, run names
    and folders know it. A study without a table stays as it is.

    Args:
        study: The settings as they are given.
        classes: The pool's.

    Raises:
        AlrayError: The table cannot be read or used, or the settings contradict it.
    """
    crowd = study.crowd
    if crowd is None or crowd.table is None:
        return study, None
    origin = f"crowd.table: {crowd.table}"
    varied = [name for name in OF_TABLE if name in study.vary]
    if varied:
        raise SpecError(
            f"vary: {varied[0]} is the same for all arms of a study with a table, {crowd.table}; run a study of its "
            "own for each value"
        )
    table = read_answer_table(crowd.table, classes)
    workers = len(table.workers)
    if "assessors" in crowd.model_fields_set and crowd.assessors != workers:
        raise SpecError(
            f"{origin} has {workers:,} workers, and crowd.assessors is {crowd.assessors:,}: with a table they are its "
            "workers; leave assessors out"
        )
    if crowd.table_content not in (None, table.content):
        raise SpecError(
            f"{origin} has changed since these settings were written (crowd.table_content is {crowd.table_content}, "
            f"and its rows have {table.content}): bring the file back, or leave table_content and assessors out"
        )
    confusions = confusions_of(table, len(classes), origin)
    _say(table, crowd.table)
    filled = {"assessors": workers, "table_content": table.content}
    values = {**crowd.model_dump(exclude_unset=True), **filled}
    filled_in = validate(CrowdSpec, values, origin)
    return study.model_copy(update={"crowd": filled_in}), confusions


def _say(table: AnswerTable, name: str) -> None:
    """Say how the table was read where one would not see it."""
    if table.skipped:
        _logger.info("%s: %s rows without a label are left out", name, f"{table.skipped:,}")
    open_tasks = int((table.truths == UNKNOWN).sum())
    if open_tasks:
        _logger.info(
            "%s: the truth of %s of %s tasks is estimated from the answers",
            name,
            f"{open_tasks:,}",
            f"{len(table.truths):,}",
        )
