"""The formats by their names."""

from alray.exchange.formats.argilla import ARGILLA
from alray.exchange.formats.doccano import DOCCANO
from alray.exchange.formats.format import Format
from alray.exchange.formats.label_studio import LABEL_STUDIO
from alray.exchange.formats.mturk import MTURK
from alray.exchange.formats.plain import CSV, JSON_LINES, PARQUET
from alray.exchange.formats.prodigy import PRODIGY
from alray.exchange.formats.toloka import TOLOKA

FORMATS: dict[str, Format] = {
    "label-studio": LABEL_STUDIO,
    "prodigy": PRODIGY,
    "argilla": ARGILLA,
    "doccano": DOCCANO,
    "toloka": TOLOKA,
    "mturk": MTURK,
    "csv": CSV,
    "parquet": PARQUET,
    "jsonl": JSON_LINES,
}
"""Name of a format: how it is read and written."""
