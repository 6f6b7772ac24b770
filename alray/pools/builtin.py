"""The pools of the package, and the names of pools: a built-in name or a path."""

import itertools
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from alray.errors import PoolError
from alray.settings.base import unknown_name
from alray.settings.files import expand_home


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


_PATTERN = re.compile(r"[*?[]")


def pool_name(source: str) -> str:
    """Return the short name of a pool: the built-in name, the file's without its ending, or the folder's.

    A pattern such as `posts/*.parquet` has the name of the folder that its files are in.
    """
    path = Path(expand_home(source))
    if source in BUILTIN_POOLS or path.is_file():
        return path.stem
    fixed = Path(*itertools.takewhile(lambda part: not _PATTERN.search(part), path.parts))
    if fixed.is_dir():
        return fixed.resolve().name
    return path.stem if fixed == path else fixed.name


def locate(source: str) -> Path:
    """Return the path of a built-in pool or of a file.

    Raises:
        PoolError: There is no such pool or file; the message names the nearest built-in pool.
    """
    if source in BUILTIN_POOLS:
        return BUILTIN_POOLS[source].path
    path = Path(expand_home(source))
    if path.is_dir():
        raise PoolError(
            f"{source}: a folder, and a pool is one Parquet file; "
            f"make one with `alray pool import {source} OUT.parquet`"
        )
    if path.exists():
        return path
    if path.suffix or path.name != source:
        raise PoolError(
            f"{source}: no such file; check the path, or name a built-in pool: {', '.join(BUILTIN_POOLS)}"
        )
    hint = unknown_name("built-in pool", source, list(BUILTIN_POOLS))
    raise PoolError(f"{hint}; a path of a Parquet file is possible too")
