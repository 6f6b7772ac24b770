"""From a file to a pool that every run can trust."""

import hashlib
import json
from dataclasses import replace

import numpy as np

from alray.errors import PoolError
from alray.pool import Modality, Pool
from alray.pools.blocks import Block
from alray.pools.builtin import pool_name
from alray.pools.content import Warn, ignore, read_content
from alray.pools.duplicates import group_copies
from alray.pools.identities import Identities
from alray.spec import PoolSpec


def read_pool(spec: PoolSpec, warn: Warn = ignore) -> Pool:
    """Read a built-in pool or a Parquet file.

    Features keep the file's type (float64 becomes float32) and lie compactly: present objects only.

    Args:
        spec: Where it is and which columns hold what.
        warn: Told, in a line for people, about classes that `min_class_size` drops.

    Raises:
        PoolError: Naming file, column and ids of everything that keeps the content from being used.
    """
    content = read_content(spec, warn)
    problems = content.problems()
    if problems:
        raise PoolError("\n".join(problems))
    who = content.identities
    if spec.copies == "together":
        who = replace(who, groups=group_copies(content.blocks, who.groups))
    modalities = tuple(
        Modality(block.name, block.features, block.rows, block.shape) for block in content.blocks
    )
    return Pool(
        name=pool_name(spec.source),
        ids=who.ids,
        labels=who.labels,
        classes=who.classes,
        modalities=modalities,
        groups=who.groups,
        fingerprint=_fingerprint(who, content.blocks),
    )


def _fingerprint(who: Identities, blocks: tuple[Block, ...]) -> str:
    """Return the SHA-256 of all that makes the data; names of file and columns do not count."""
    digest = hashlib.sha256()
    parts = [(block.name, block.shape, str(block.features.dtype)) for block in blocks]
    # JSON keeps "a", "b" apart from "a, b"; plain concatenation would not.
    digest.update(json.dumps([who.ids.tolist(), who.classes, parts]).encode())
    digest.update(who.labels.data)
    if who.groups is not None:
        digest.update(b"groups")
        digest.update(who.groups.data)
    for block in blocks:
        digest.update(block.rows.data)
        digest.update(np.ascontiguousarray(block.features).view(np.uint8).data)
    return digest.hexdigest()
