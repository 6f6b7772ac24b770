"""The layouts that can be imported: how each is recognised, described, and what command imports it."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

IDX_IMAGES = re.compile(r"(?:(?P<part>.*?)[-_.])?images[-_.]idx3[-_.]ubyte(?:\.gz)?")
"""Names of the files of images in MNIST's format."""

LAYOUTS = {
    "npy": (".npy", "one array of a label and features (--columns)"),
    "npz": (".npz", "labels, ids and an array per modality; also X_train, y_train, X_test and so on"),
    "safetensors": (".safetensors", "tensors by name, labels as whole numbers"),
    "torch": (".pt, .pth", "a dictionary of tensors and lists"),
    "hdf5": (".h5, .hdf5", "data sets by name; needs pip install 'alray[hdf5]'"),
    "arrow": (".feather, .arrow", "Feather or Arrow IPC: a column of lists per modality"),
    "jsonl": (".jsonl, .ndjson", "an object a line: {\"label\": \"cat\", \"image\": [1, 2]}"),
    "csv": (".csv, .tsv", "columns img_0, img_1, ..., or lists in cells"),
    "idx": ("...images-idx3-ubyte", "MNIST's files: a file of images, or their folder"),
    "folder": ("folder of .npy", "a modality each; labels.npy, .txt, .csv or .parquet"),
    "datasets": ("folder of datasets", "Hugging Face's save_to_disk, one or several splits"),
    "clip": ("folder of embeddings", "clip-retrieval's img_emb, text_emb and metadata"),
}  # fmt: skip
"""Layout: how it is named, and what it holds."""

_ENDINGS = {
    ".npy": "npy", ".npz": "npz", ".safetensors": "safetensors", ".pt": "torch", ".pth": "torch", ".h5": "hdf5",
    ".hdf5": "hdf5", ".hdf": "hdf5", ".feather": "arrow", ".arrow": "arrow", ".ipc": "arrow", ".jsonl": "jsonl",
    ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".tsv": "csv",
}  # fmt: skip

_STARTS = {
    b"\x93NUMPY": "npy", b"ARROW1": "arrow", b"FEA1": "arrow", b"\xff\xff\xff\xff": "arrow", b"\x89HDF": "hdf5",
    b"PAR1": "parquet",
}  # fmt: skip
"""What files of a layout begin with, where the name does not tell."""

DATASET_FILES = ("dataset_dict.json", "state.json", "dataset_info.json")
CLIP_FOLDERS = {"image": "img_emb", "text": "text_emb"}


def find_layout(path: Path) -> str | None:
    """Return a layout of LAYOUTS, or `parquet`, or None where the file or folder is of none."""
    if path.is_dir():
        return _folder_layout(path)
    if IDX_IMAGES.fullmatch(path.name):
        return "idx"
    with path.open("rb") as stream:
        start = stream.read(8)
    if start.startswith(b"PAR1"):
        return "parquet"
    name = path.name.lower().removesuffix(".gz")
    ending = _ENDINGS.get(Path(name).suffix)
    packed = path.name.lower().endswith(".gz") and ending not in {"jsonl", "csv"}
    if ending and not packed:
        return ending
    return next((layout for magic, layout in _STARTS.items() if start.startswith(magic)), None)


def _folder_layout(path: Path) -> str | None:
    names = {file.name for file in path.iterdir()}
    if any(IDX_IMAGES.fullmatch(name) for name in names):
        return "idx"
    if "dataset_dict.json" in names or (
        names & {*DATASET_FILES} and any(name.endswith(".arrow") for name in names)
    ):
        return "datasets"
    if names & {*CLIP_FOLDERS.values()}:
        return "clip"
    if any(name.endswith(".npy") for name in names):
        return "folder"
    return "parquet" if any(name.endswith(".parquet") for name in names) else None


def supported() -> str:
    """Return the names of all layouts, for messages."""
    return ", ".join(name for name, _ in LAYOUTS.values())


def import_command(path: Path) -> str | None:
    """Return the command that makes a pool of a file or folder, or None where no layout fits.

    The command writes to the present folder, to a file that does not exist yet.
    """
    try:
        layout = find_layout(path)
        if layout == "npy" and _has_labels_beside(path):
            path = path.parent
    except OSError:
        return None
    if layout in {None, "parquet"}:
        return None
    out = next(name for name in _target_names(path) if not Path(name).exists())
    return f"alray pool import {shlex.quote(_as_argument(str(path)))} {shlex.quote(_as_argument(out))}"


def _has_labels_beside(path: Path) -> bool:
    return any(
        path.with_name(f"{stem}.{ending}").exists()
        for stem in ("labels", "label", "y", "target", "targets")
        for ending in ("npy", "txt", "csv", "parquet")
    )


def _target_names(path: Path) -> Iterator[str]:
    name = path.resolve().name.removesuffix(".gz")
    stem = Path(name).stem if path.is_file() else name
    yield f"{stem}.parquet"
    for number in range(2, 1_000_000):
        yield f"{stem}-{number}.parquet"


def _as_argument(text: str) -> str:
    """Return a path that is not read as an option."""
    return f"./{text}" if text.startswith("-") else text
