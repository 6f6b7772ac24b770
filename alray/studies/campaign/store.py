"""A campaign's folder: a ledger that only grows, a file for each batch and each file of answers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa

from alray.errors import StoreError
from alray.studies.campaign.records import (
    ANSWER_COLUMNS,
    BATCH_COLUMNS,
    OBJECT_COLUMNS,
    PREDICTION_COLUMNS,
    ROUND_COLUMNS,
)
from alray.studies.folder import Folder, table

OBJECTS, BATCHES, ANSWERS = "objects", "batches", "answers"
ROUNDS, PREDICTIONS, NETWORKS = "rounds", "predictions", "networks"

COLUMNS = {
    OBJECTS: OBJECT_COLUMNS,
    BATCHES: BATCH_COLUMNS,
    ANSWERS: ANSWER_COLUMNS,
    ROUNDS: ROUND_COLUMNS,
    PREDICTIONS: PREDICTION_COLUMNS,
}

PROJECT = "label_studio.json"
"""The file that says which project of a labelling tool's server a campaign is kept in step with."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Project:
    """A project of a Label Studio server. The token is never stored.

    Attributes:
        url: The server's address.
        number: The project's number there.
    """

    url: str
    number: int

    @property
    def title(self) -> str:
        """The project in messages."""
        return f"project {self.number} of {self.url}"


class CampaignStore(Folder):
    """The folder of a campaign. Nothing is ever removed or replaced but what a command that was killed left behind."""

    folders: ClassVar[tuple[str, ...]] = (OBJECTS, BATCHES, ANSWERS, ROUNDS, PREDICTIONS, NETWORKS)

    def append(self, folder: str, rows: Sequence[Row]) -> None:
        """Write rows as the next file of the objects, or of the answers."""
        self.write(folder, self._last(folder) + 1, rows)

    def write(self, folder: str, number: int, rows: Sequence[Row]) -> None:
        """Write the rows of a batch, or of what belongs to it."""
        self._write_table(f"{folder}/{number:04d}.parquet", table(rows, COLUMNS[folder]))

    def write_network(self, number: int, content: bytes) -> None:
        """Write the network by which a batch was chosen."""
        self._write(f"{NETWORKS}/{number:04d}.safetensors", content)

    def read_network(self, number: int) -> bytes:
        """Read it."""
        return self._content(f"{NETWORKS}/{number:04d}.safetensors")

    def write_project(self, project: Project) -> None:
        """Write which project the campaign is kept in step with."""
        self._write(PROJECT, (json.dumps(asdict(project), indent=2) + "\n").encode())

    def read_project(self) -> Project | None:
        """Read it; None where there is none yet.

        Raises:
            StoreError: The file cannot be read.
        """
        if not self.holds([PROJECT]):
            return None
        try:
            found = json.loads(self._content(PROJECT).decode())
            return Project(str(found["url"]), int(found["number"]))
        except (ValueError, KeyError, TypeError):
            raise StoreError(
                f"{self.root / PROJECT} does not say which project it is; remove it, and name the project with "
                "--label-studio URL --project N"
            ) from None

    def batches(self) -> pd.DataFrame:
        """Read all batches, in their order."""
        return self._all(BATCHES)

    def answers(self) -> pd.DataFrame:
        """Read all answers, in the order in which they were added."""
        return self._all(ANSWERS)

    def objects(self) -> pd.DataFrame:
        """Read all objects that were ever seen."""
        return self._all(OBJECTS)

    def rounds(self) -> pd.DataFrame:
        """Read what is known of each batch's fit."""
        last = self.last_batch
        rounds = self._all(ROUNDS)
        # A command that was killed may have left the row of a batch that there is not.
        return rounds[rounds["round"] <= last].reset_index(drop=True)

    def predictions(self, number: int) -> pd.DataFrame:
        """Read what the network of a batch predicts for the audit part; no rows where there was none."""
        name = f"{number:04d}"
        empty = table([], PREDICTION_COLUMNS)
        return self._read_folder(PREDICTIONS, empty, [name]) if number > 0 else empty.to_pandas()

    @property
    def last_batch(self) -> int:
        """The number of the last batch, 0 before the first."""
        return self._last(BATCHES)

    def _last(self, folder: str) -> int:
        return max(map(int, self._names(folder, ".parquet")), default=0)

    def _all(self, folder: str) -> pd.DataFrame:
        names = sorted(self._names(folder, ".parquet"), key=int)
        tables = self._read_tables([f"{folder}/{name}.parquet" for name in names])
        whole = pa.concat_tables([table([], COLUMNS[folder]), *tables], promote_options="default")
        frame: pd.DataFrame = whole.to_pandas()
        return frame
