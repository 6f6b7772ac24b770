"""Tables are read a batch at a time, once for all columns together."""

import pyarrow as pa
import pytest

from alray.pools.imports.batches import SharedBatches
from alray.pools.imports.source import ImportOptions
from alray.pools.imports.tables import Table, from_table

ROWS = 100
COLUMNS = pa.table(
    {
        "label": pa.array(["a", "b"] * (ROWS // 2)).dictionary_encode(),
        "m": [[float(row)] for row in range(ROWS)],
        "n": [[1.0, row] for row in range(ROWS)],
        "url": [str(row) for row in range(ROWS)],
    }
)


def test_columns_that_advance_together_read_the_table_once():
    opened = []

    def batches():
        opened.append(1)
        yield from COLUMNS.to_batches(max_chunksize=7)

    source = from_table(Table("t", COLUMNS.schema, batches), ImportOptions())
    opened.clear()
    streams = [source.rows["m"].chunks(9), source.rows["n"].chunks(9), source.further["url"](9)]
    read = list(zip(*streams, strict=True))
    assert len(opened) == 1
    assert [len(part) for part, _, _ in read] == [9] * 11 + [1]
    assert [value for part, _, _ in read for value in part[:, 0]] == list(range(ROWS))
    assert [text for _, _, part in read for text in part.to_pylist()] == [
        str(row) for row in range(ROWS)
    ]


@pytest.mark.parametrize("size", [1, 6, 7, 8, 50, 100, 1000])
def test_batches_have_the_size_that_is_asked_for(size):
    shared = SharedBatches(lambda: iter(COLUMNS.to_batches(max_chunksize=7)))
    found = list(shared.of_size(size))
    assert pa.Table.from_batches(found).cast(COLUMNS.schema).equals(COLUMNS)
    assert [batch.num_rows for batch in found[:-1]] == [size] * (len(found) - 1)
