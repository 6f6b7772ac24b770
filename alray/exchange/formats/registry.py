"""The formats by their names."""

from alray.exchange.formats.format import Format
from alray.exchange.formats.plain import CSV, JSON_LINES, PARQUET

FORMATS: dict[str, Format] = {
    "csv": CSV,
    "parquet": PARQUET,
    "jsonl": JSON_LINES,
}
"""Name of a format: how it is read and written."""
