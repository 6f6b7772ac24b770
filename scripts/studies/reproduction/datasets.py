"""The data sets of the study run again: where their pools come from, and how many labels a run has."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

TWIN_OPTIONS = (
    *("--image-features", "128", "--text-features", "128", "--noise", "0.5"),
    *("--image-absent", "0.1", "--text-absent", "0.2"),
)
"""About as informative as the original's 1,024 and 300 features with noise 1.25, at the width of icons: n / noise^2
is 512 for both modalities here, and 655 and 192 there."""

SMALL_TWIN_OPTIONS = (
    *("--image-features", "16", "--text-features", "16", "--noise", "0.2"),
    *("--classes", "6", "--families", "3", "--largest", "600", "--smallest", "100"),
)


@dataclass(frozen=True)
class DataSet:
    """A pool with the number of labels that its runs have.

    Attributes:
        name: As on the command line and the page.
        title: What it is, in a line.
        pool: Built-in name or path; a path below `work` is made by `prepare`.
        initial: Labels of the passive phase.
        settings: Settings that all its studies have, by dotted name.
        pace: Seconds of a round here, over those on icons.
        own_copy: The file that the user has to bring, where the pool is imported from one.
    """

    name: str
    title: str
    pool: str
    initial: int
    settings: Mapping[str, str] = field(default_factory=dict)
    pace: float = 1.0
    own_copy: Path | None = None


def data_sets(work: Path, mnist: Path | None, icons: str, *, small: bool) -> dict[str, DataSet]:
    """Return the data sets by name; pools that have to be made lie in `work`/pools.

    Args:
        work: Folder of the studies.
        mnist: The user's copy of MNIST, if there is one.
        icons: The built-in pool, or the path of a Parquet file with a column `words`.
        small: Tiny pools and few labels, to try everything in minutes.
    """
    pools = work / "pools"
    # A path has no settings of its own, as the built-in name has.
    grouped = {"pool.group_by": "words"}
    every: tuple[DataSet, ...] = (
        DataSet("icons", "49,775 icons, 50 topics, split by words", icons, 2_000, grouped),
        DataSet(
            "twin",
            "the synthetic twin: 60,000 posts with ambiguous ones, wrong labels and absent modalities",
            str(pools / "twin.parquet"),
            2_000,
            pace=1.2,
        ),
        DataSet(
            "mnist",
            "70,000 handwritten digits, a small CNN",
            str(pools / "mnist.parquet"),
            500,
            {"model.name": "cnn", "split.test": "0.1", "candidates": "5000"},
            pace=9.0,
            own_copy=mnist,
        ),
    )
    if small:
        every = tuple(_small(each, pools) for each in every)
    return {each.name: each for each in every}


def _small(data: DataSet, pools: Path) -> DataSet:
    """Return a data set of a few hundred objects in its place, so that every command is tried."""
    pool = str(pools / f"small-{data.name}.parquet")
    settings = dict(data.settings) if data.own_copy is not None else {}
    settings.pop("pool.group_by", None)
    settings.pop("candidates", None)
    return replace(data, pool=pool, initial=60, settings=settings)


def prepare(data: DataSet, *, small: bool) -> None:
    """Make the pool of a data set where it does not exist yet.

    Raises:
        click.ClickException: It needs the user's copy and none is given, or cannot be made.
    """
    path = Path(data.pool)
    if path.suffix != ".parquet" or path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if data.name == "mnist":
        _import_copy(data, path, most=600 if small else None)
    elif small:
        _alray("pool", "make", "synthetic", str(path), "--objects", "900", *SMALL_TWIN_OPTIONS)
    elif data.name == "twin":
        _alray("pool", "make", "synthetic", str(path), "--objects", "60000", *TWIN_OPTIONS)
    else:
        raise click.ClickException(f"{path} does not exist: give --icons a path, or leave it out")


def _import_copy(data: DataSet, path: Path, most: int | None) -> None:
    if data.own_copy is None:
        raise click.ClickException(
            "mnist has no file: give --mnist PATH, an .npz with images of 28 x 28 and their labels, or leave the data "
            "set out with --data icons,twin"
        )
    source = data.own_copy
    if most is not None:
        source = _first_objects(source, path.with_suffix(".npz"), most)
    _alray("pool", "import", str(source), str(path))


def _first_objects(source: Path, path: Path, most: int) -> Path:
    """Write the first objects of an .npz to another one."""
    import numpy as np  # noqa: PLC0415 -- the plan is printed without it

    with np.load(source) as arrays:
        np.savez(path, **{name: arrays[name][:most] for name in arrays.files})
    return path


def _alray(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "alray", *words], check=False)
    if done.returncode:
        raise click.ClickException(
            f"alray {' '.join(words)} ended with {done.returncode}: its message is above"
        )
