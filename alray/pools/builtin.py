"""The pools of the package, and the names of pools."""

import itertools
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path, PurePosixPath

from alray.settings.location import Location, location_of


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
    """Return the short name of a pool: the built-in name, or that of the file or folder without its ending.

    Of a pattern it is the folder before its first wildcard.
    """
    if source in BUILTIN_POOLS:
        return source
    location = location_of(source)
    if isinstance(location, Location):
        path = PurePosixPath(location.bucket_path)
    else:
        path = PurePosixPath(location if location.name else location.resolve())
    parts = [part for part in path.parts if part != "/"]
    fixed = list(itertools.takewhile(lambda part: not set(part) & {"*", "?"}, parts))
    return PurePosixPath(fixed[-1]).stem if fixed else "pool"
