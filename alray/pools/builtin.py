"""The pools of the package, and the names of pools: a built-in name or a path."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from alray.errors import PoolError
from alray.pools.layouts import import_command
from alray.settings.base import unknown_name


@dataclass(frozen=True)
class BuiltinPool:
    """A pool shipped with the package; the licence is that of its sources, in SPDX terms where they exist."""

    name: str
    description: str
    licence: str

    @property
    def path(self) -> Path:
        """The file in the installed package."""
        return Path(str(files("alray").joinpath("data", f"{self.name}.parquet")))


BUILTIN_POOLS = {
    pool.name: pool
    for pool in (
        BuiltinPool(
            "openclipart",
            "5,726 clip-art pictures with titles, by topic; nearly half without text",
            "public domain",
        ),
        BuiltinPool(
            "icons",
            "49,775 icons of 73 sets with names, in 50 topics; labels are noisy",
            "Apache-2.0, MIT and CC-BY-4.0",
        ),
    )
}


def pool_name(source: str) -> str:
    """Return the short name of a pool: the built-in name, or the file's without its ending."""
    return source if source in BUILTIN_POOLS else Path(source).stem


def locate(source: str) -> Path:
    """Return the path of a built-in pool or of a file.

    Raises:
        PoolError: There is no such pool or file; the message names the nearest built-in pool.
    """
    if source in BUILTIN_POOLS:
        return BUILTIN_POOLS[source].path
    path = Path(source)
    if command := import_command(path):
        raise PoolError(f"{source}: not Parquet, which pools are; convert it with `{command}`")
    if path.is_dir():
        raise PoolError(
            f"{source}: a folder, and a pool is one Parquet file; `alray pool import` takes a folder of .npy files "
            "with labels.npy, or one that save_to_disk or clip-retrieval has written"
        )
    if path.exists():
        return path
    if path.suffix or path.name != source:
        raise PoolError(
            f"{source}: no such file; check the path, or name a built-in pool: {', '.join(BUILTIN_POOLS)}"
        )
    hint = unknown_name("built-in pool", source, list(BUILTIN_POOLS))
    raise PoolError(f"{hint}; a path of a Parquet file is possible too")
