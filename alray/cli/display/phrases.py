"""What all displays say alike: counts, durations, sizes."""

from pathlib import Path

from alray.analysis.wording import count
from alray.pools.pool import Pool
from alray.settings.common import PoolSpec
from alray.settings.names import study_name


def duration(seconds: float) -> str:
    """Return `8 s`, `2 min 05 s`, `3 h 20 min`."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def size(count_of_bytes: int) -> str:
    """Return `4.2 MB` or `1.30 GB`."""
    if count_of_bytes < 1_000_000_000:
        return f"{count_of_bytes / 1e6:.1f} MB"
    return f"{count_of_bytes / 1e9:.2f} GB"


def features(pool: Pool, settings: PoolSpec) -> str:
    """Return `12,000 objects, 50 classes, image 1024 + text 300`, and the column of the groups where there is one."""
    modalities = " + ".join(f"{each.name} {each.dimension}" for each in pool.modalities)
    classes = count(len(pool.classes), "class", "classes")
    column = settings.group_by
    grouped = f", objects of equal {column} in one part" if column else ""
    return f"{count(len(pool), 'object')}, {classes}, {modalities}{grouped}"


def study_title(name: str, pool: Pool, source: str, ending: str = "") -> str:
    """Return a study's name, with the pool's source where it was made of one that cannot name a folder.

    `ending` is what such a study's name adds to the pool's.
    """
    if name == pool.name + ending or name != study_name(pool.name, ending):
        return name
    return f"{name} (from {Path(source).name})"
