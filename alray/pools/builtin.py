"""The pools of the package, and the names of pools."""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any

from alray.settings.base import is_set, with_values
from alray.settings.common import PoolSpec
from alray.settings.location import Location, location_of


@dataclass(frozen=True)
class BuiltinPool:
    """A pool shipped with the package.

    Attributes:
        name: What it is called in the place of a file.
        description: What it holds, in a line.
        licence: That of its sources, in SPDX terms where they exist.
        settings: Settings of `PoolSpec` that it has where they are not given.
    """

    name: str
    description: str
    licence: str
    settings: Mapping[str, Any] = field(default_factory=dict)

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
            # Several authors draw the same thing: 42 % of the objects share their words with others.
            {"group_by": "words"},
        ),
    )
}


def with_own_settings(spec: PoolSpec) -> PoolSpec:
    """Return the settings of a pool with those that a built-in one has of its own, where they are not given."""
    pool = BUILTIN_POOLS.get(spec.source)
    own = {} if pool is None else pool.settings
    unset = {name: value for name, value in own.items() if not is_set(spec, name)}
    return with_values(spec, unset, f"pool {spec.source}")


_PATTERN = re.compile(r"[*?[]")


def pool_name(source: str) -> str:
    """Return the short name of a pool: the built-in name, the file's without its ending, or the folder's.

    A pattern such as `posts/*.parquet` has the name of the folder that its files are in.
    """
    if source in BUILTIN_POOLS:
        return source
    location = location_of(source)
    path = PurePosixPath(location.bucket_path) if isinstance(location, Location) else location
    if isinstance(path, Path) and path.is_file():
        return path.stem
    fixed = type(path)(*itertools.takewhile(lambda part: not _PATTERN.search(part), path.parts))
    if isinstance(fixed, Path) and fixed.is_dir():
        return fixed.resolve().name
    return fixed.stem if fixed == path else fixed.name
