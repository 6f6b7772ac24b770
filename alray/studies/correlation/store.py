"""The results folder of a correlation study: bases, groups, an outcomes file per task.

Layout and columns are documented in `results/README.md`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa

from alray.analysis.correlation.summary import CorrelationSummary
from alray.pools.pool import Pool
from alray.settings.correlation import CorrelationSpec
from alray.settings.former import resolved_record
from alray.studies.correlation.complete import Records
from alray.studies.folder import Folder, MissingFileError, table

BASES, GROUPS, OUTCOMES = "bases", "groups", "outcomes"
FOUND = ("summary", "quantiles", "checks")
"""What follows from the outcomes: a file each."""

BASE_COLUMNS: Mapping[str, tuple[pa.DataType, str]] = {
    "base": (pa.int64(), "number of the base model, which is the seed of its labels and weights"),
    "labels": (pa.int64(), "initial labels that it was fitted on"),
    "accuracy": (pa.float64(), "on the test objects, before any fine-tuning"),
    "nll": (pa.float64(), "mean -log p of the true class there, in nats"),
    "macro_f1": (pa.float64(), "unweighted mean of the classes' F1 there"),
}

GROUP_COLUMNS: Mapping[str, tuple[pa.DataType, str]] = {
    "base": (pa.int64(), "number of the base model"),
    "grouping": (pa.string(), "score, within_class, random or shuffled_labels"),
    "sorted_by": (pa.string(), "the score that objects were sorted by; empty where by none"),
    "group": (pa.int64(), "number of the group, smallest scores first"),
    "id": (pa.string(), "the object"),
    "label": (pa.string(), "its true label"),
}

OUTCOME_COLUMNS: Mapping[str, tuple[pa.DataType, str]] = {
    "base": (pa.int64(), "number of the base model"),
    "grouping": (pa.string(), "as in groups; control for steps without a group"),
    "sorted_by": (pa.string(), "as in groups"),
    "group": (pa.int64(), "number of the group, -1 for the control"),
    "seed": (pa.int64(), "fine-tuning seed: batch order and dropout masks"),
    "epochs": (pa.int64(), "the dose"),
    "steps": (pa.int64(), "gradient steps taken until then"),
    "accuracy": (pa.float64(), "on the test objects"),
    "nll": (pa.float64(), "mean -log p of the true class there, in nats"),
    "macro_f1": (pa.float64(), "unweighted mean of the classes' F1 there"),
}

FAILURE_COLUMNS: Mapping[str, tuple[pa.DataType, str]] = {
    "task": (pa.string(), "the task"),
    "error": (pa.string(), "why it failed, in a line"),
    "traceback": (pa.string(), "the same in full"),
}

NO_GROUPS, NO_OUTCOMES = table([], GROUP_COLUMNS), table([], OUTCOME_COLUMNS)


class CorrelationStore(Folder):
    """A correlation study's folder."""

    folders: ClassVar[tuple[str, ...]] = (BASES, GROUPS, OUTCOMES)
    others: ClassVar[tuple[str, ...]] = (
        *Folder.others,
        "bases.parquet",
        "failures.parquet",
        "quantiles.parquet",
        "checks.parquet",
    )

    # Bases: weights, sample and scores, all that a task needs

    def write_base(self, number: int, content: bytes) -> None:
        """Write a base."""
        self._write(f"{BASES}/base-{number}.safetensors", content)

    def read_base(self, number: int) -> bytes | None:
        """Read a base, or None where there is none."""
        try:
            return self._content(f"{BASES}/base-{number}.safetensors")
        except MissingFileError:
            return None

    def write_bases(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write a row per base."""
        self._write_table("bases.parquet", table(rows, BASE_COLUMNS))

    # Groups and outcomes

    def write_groups(self, number: int, groups: pd.DataFrame) -> None:
        """Write the groups of a base."""
        kinds = {name: kind for name, (kind, _) in GROUP_COLUMNS.items()}
        schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in groups.columns])
        rows = pa.Table.from_pandas(groups, schema=schema, preserve_index=False)
        self._write_table(f"{GROUPS}/base-{number}.parquet", rows)

    def holds_objects_of(self, pool: Pool) -> bool:
        """Whether there are groups, and all objects in them are in this pool, with the same labels."""
        groups = self._read_folder(GROUPS, NO_GROUPS)
        labels = dict(zip(pool.ids, (pool.classes[label] for label in pool.labels), strict=True))
        there = zip(groups["id"], groups["label"], strict=True)
        return len(groups) > 0 and all(labels.get(name) == label for name, label in there)

    def write_outcomes(self, task: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write a task's outcomes: a task whose file is there is done."""
        self._write_table(f"{OUTCOMES}/{task}.parquet", table(rows, OUTCOME_COLUMNS))

    def done(self) -> frozenset[str]:
        """Return the names of the tasks that are done."""
        return frozenset(self._names(OUTCOMES, ".parquet"))

    def read_records(self, bases: int) -> Records:
        """Read the row per base, the groups of the first `bases`, and all outcomes."""
        names = [f"base-{number}" for number in range(bases)]
        return (
            self._read_frame("bases.parquet"),
            self._read_folder(GROUPS, NO_GROUPS, names),
            self._read_folder(OUTCOMES, NO_OUTCOMES),
        )

    def write_failures(self, failures: Mapping[str, tuple[str, str]]) -> None:
        """Write the tasks that failed for good: their errors in a line and in full."""
        rows = [
            {"task": name, "error": error, "traceback": traceback}
            for name, (error, traceback) in failures.items()
        ]
        self._write_table("failures.parquet", table(rows, FAILURE_COLUMNS))
        self.write_errors(
            {name: f"{error}\n\n{traceback}" for name, (error, traceback) in failures.items()}
        )

    def read_failures(self) -> pd.DataFrame:
        """Read them."""
        return self._read_frame("failures.parquet")

    # What the study has found

    def write_found(self, found: CorrelationSummary) -> None:
        """Write the summary, usefulness by score tenth, and the instrument's checks of itself."""
        for name in FOUND:
            self._write_frame(f"{name}.parquet", getattr(found, name))

    def read_found(self) -> list[pd.DataFrame]:
        """Read the three, in this order."""
        return [self._read_frame(f"{name}.parquet") for name in FOUND]

    def is_concluded(self, settings: Mapping[str, Any]) -> bool:
        """Whether the folder holds these settings, and files of what follows from the outcomes.

        Only where the study has ended are these of these settings: a command that broke off leaves an earlier one's.
        """
        written = {f"{name}.parquet" for name in FOUND} <= set(self._storage.names(""))
        return written and resolved_record(CorrelationSpec, self.read_study()) == settings
