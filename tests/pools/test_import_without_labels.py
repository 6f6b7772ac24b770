"""Objects without a label: an import keeps them, and studies leave them out."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.helpers.command import alray
from tests.helpers.import_files import (
    dataset_shard,
    write_clip,
    write_csv,
    write_dataset,
    write_feather,
    write_json_lines,
)
from tests.helpers.imports import draw, refusal, run
from tests.helpers.pools_fixtures import read


def records(labels):
    return [
        {"id": str(row), "label": label, "image": [float(row + 1), 2.0]}
        for row, label in enumerate(labels)
    ]


def npz(folder, labels):
    np.savez(folder / "a.npz", label=labels, image=draw(len(labels), 2))
    return folder / "a.npz"


def lines(folder, name, text):
    path = folder / "arrays"
    path.mkdir()
    np.save(path / "image.npy", draw(4, 3))
    (path / name).write_text(text)
    return path


WORDS = ["cat", None, "dog", None]
NUMBERS = [10, None, 9, None]
SOURCES = {
    "Feather": (lambda folder: write_feather(folder, records(WORDS)), WORDS),
    "Feather with numbers": (lambda folder: write_feather(folder, records(NUMBERS)), NUMBERS),
    "Feather with large numbers": (
        lambda folder: write_feather(folder, records([2**62 + 1, None, 7, None])),
        [2**62 + 1, None, 7, None],
    ),
    "JSON Lines": (
        lambda folder: write_json_lines(folder, records(["cat", "", "dog", None])),
        WORDS,
    ),
    "JSON Lines with numbers": (
        lambda folder: write_json_lines(folder, records(NUMBERS)),
        NUMBERS,
    ),
    "CSV": (lambda folder: write_csv(folder, records(WORDS)), WORDS),
    "CSV with numbers": (lambda folder: write_csv(folder, records(NUMBERS)), NUMBERS),
    "Hugging Face": (
        lambda folder: write_dataset(folder / "set", [dataset_shard(0, -1), dataset_shard(1, -1)]),
        ["cat", None, "dog", None],
    ),
    "clip-retrieval": (lambda folder: write_clip(folder / "clip", {0: 4}, label=WORDS), WORDS),
    "text array": (lambda folder: npz(folder, np.asarray(["cat", "", "dog", " "])), WORDS),
    "bytes": (lambda folder: npz(folder, np.asarray([b"cat", b"", b"dog", b""])), WORDS),
    "floats": (lambda folder: npz(folder, np.asarray([10, np.nan, 9, np.nan])), NUMBERS),
    "dates": (
        lambda folder: npz(
            folder, np.asarray(["2020-01-01", "NaT", "2021-01-01", "NaT"], "M8[D]")
        ),
        ["2020-01-01", None, "2021-01-01", None],
    ),
    "lines": (
        lambda folder: lines(folder, "labels.txt", "cat\n\ndog\ncat\n"),
        [*WORDS[:3], "cat"],
    ),
    "empty lines at the end": (
        lambda folder: lines(folder, "labels.txt", "dog\ncat\n\n\n"),
        ["dog", "cat", None, None],
    ),
    "more empty lines than objects": (
        lambda folder: lines(folder, "labels.csv", "label\ndog\n\ncat\n\n\n\n"),
        ["dog", None, "cat", None],
    ),
    "lines of CSV": (
        lambda folder: lines(folder, "labels.csv", "label\ncat\n\ndog\ncat\n"),
        [*WORDS[:3], "cat"],
    ),
    "ids and labels": (
        lambda folder: lines(folder, "labels.csv", "id,label\np,cat\nq,\nr,dog\ns,\n"),
        WORDS,
    ),
}
"""Name: what writes four objects of two classes, some without a label, and the labels that are meant."""


@pytest.mark.parametrize(("write", "labels"), SOURCES.values(), ids=SOURCES)
def test_objects_without_a_label_are_written_and_left_out_of_studies(tmp_path, write, labels):
    """Numbers stay numbers, so that class 10 comes after class 9."""
    written = run(write(tmp_path))
    assert (written.objects, written.classes) == (4, 2)
    assert written.unlabelled == labels.count(None)
    assert pq.read_table(written.path)["label"].to_pylist() == labels
    pool = read(str(written.path))
    kept = [label for label in labels if label is not None]
    assert [pool.classes[code] for code in pool.labels] == [str(label) for label in kept]
    assert pool.classes == tuple(str(label) for label in sorted(set(kept)))


@pytest.mark.parametrize("options", [(), ("--drop-empty",)])
def test_the_command_counts_objects_without_a_label(tmp_path, options):
    """Of objects that are left out for another reason none is counted."""
    rows = records(["a", "b", None, "a", "", "b", "a", "b", None, "a", "b"])
    if options:
        rows.append({"id": "bare", "label": None, "image": None})
    source, target = write_json_lines(tmp_path, rows), tmp_path / "o.parquet"
    done = alray("pool", "import", source, target, *options)
    assert done.exit_code == 0, done.output
    counts = "11 objects, 2 classes; 3 without a label, kept for labelling later: studies leave them out"
    assert done.stdout.splitlines()[0] == f"wrote {target}: {counts}"
    described = alray("pool", "describe", target)
    assert "left out 3 of 11 objects without a label" in " ".join(described.output.split())


def test_where_no_object_with_a_modality_has_a_label_nothing_is_written(tmp_path):
    rows = [*records([None, ""]), {"id": "bare", "label": "a", "image": None}]
    message = refusal(write_json_lines(tmp_path, rows), drop_empty=True)
    assert "no object that has a modality has a label" in message


@pytest.mark.parametrize("labels", [[8, 10, 8], ["b", "a", "b"], [8.0, 10.0, 8.0]])
def test_a_part_without_labels_is_kept_without_them(tmp_path, labels):
    """As scikit-learn's `X_test` often is."""
    parts = {"X_train": draw(3, 2), "X_test": draw(2, 2)}
    np.savez(tmp_path / "a.npz", allow_pickle=False, y_train=labels, **parts)
    written = run(tmp_path / "a.npz")
    assert (written.objects, written.unlabelled) == (5, 2)
    pool = read(str(written.path))
    first, second = ("8", "10") if "b" not in labels else ("b", "a")
    assert [pool.classes[code] for code in pool.labels] == [first, second, first]
