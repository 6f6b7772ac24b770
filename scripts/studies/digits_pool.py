"""Writes scikit-learn's handwritten digits as a pool: 1,797 objects in ten classes, their 64 pixels as features."""

from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.datasets import load_digits


def write_digits(path: Path) -> None:
    """Write the pool."""
    features, labels = load_digits(return_X_y=True)
    pixels = pa.array(list(features.astype(np.float32)), pa.list_(pa.float32(), 64))
    ids = list(map(str, range(len(labels))))
    pq.write_table(pa.table({"id": ids, "label": list(map(str, labels)), "pixels": pixels}), path)


@click.command(help=__doc__)
@click.argument("path", type=Path)
def main(path: Path) -> None:
    write_digits(path)


if __name__ == "__main__":
    main()
