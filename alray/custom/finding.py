"""Find the user's code that a study names, as it is now, and hold a worker's against it."""

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alray.custom.code import CustomCode, CustomName
from alray.custom.loading import MAIN, load, receive
from alray.custom.main_source import main_hashes
from alray.custom.source import folder_of, hashes, module_files
from alray.errors import SpecError

_loaded: dict[str, tuple[Any, dict[str, str]]] = {}
"""What a name meant when this process found it last, and the hashes of its files then."""

_checked: set[tuple[str, str | None]] = set()
"""Names whose code was found to be the driver's, with its digest: from then on it is in memory."""


def find_code(names: Iterable[CustomName]) -> CustomCode:
    """Import what the user supplies, again where its files have changed since, and return its source.

    Raises:
        SpecError: Something cannot be imported, or its source cannot be read.
    """
    files: dict[str, dict[str, str]] = {}
    folders: list[str] = []
    values: dict[str, Any] = {}
    for each in names:
        if each.by_version:
            files[each.name] = _version(each)
            continue
        if each.module == MAIN:
            thing = values[each.name] = load(each.name, each.what)
            files[each.name] = main_hashes(each.name, thing, each.what)
            continue
        files[each.name] = {**_up_to_date(each), **_version(each)}
        if files[each.name]:
            folders.append(str(folder_of(each.module)))
    return CustomCode(files, tuple(dict.fromkeys(folders)), values)


def prepare_worker(code: CustomCode) -> None:
    """Let this process find what the driver's has found: in the same folders, after all others, and by value."""
    sys.path += [folder for folder in code.folders if folder not in sys.path]
    receive(code.values)


def require_same_code(code: CustomCode, wanted: CustomName) -> None:
    """Refuse to go on with code that is not the driver's, or no longer; once loaded, it stays as it is.

    Raises:
        SpecError: Names the file.
    """
    key = wanted.name, code.digest(wanted.name)
    # Versions have been compared with all others (`packages`).
    if (
        wanted.by_version
        or wanted.name not in code.files
        or wanted.name in code.values
        or key in _checked
    ):
        return
    load(wanted.name, wanted.what)
    here = {**hashes(module_files(wanted.module)), **_version(wanted)}
    there = code.files[wanted.name]
    if here != there:
        names = [name for name in sorted({*here, *there}) if here.get(name) != there.get(name)]
        raise SpecError(
            f"{wanted.what} {wanted.name!r}: {', '.join(names)} in {folder_of(wanted.module)} is not as it was when "
            "the study started; leave it alone while a study runs, and have the same on every node"
        )
    _checked.add(key)


def _version(name: CustomName) -> dict[str, str]:
    return {name.package: name.version} if name.package else {}


def _up_to_date(name: CustomName) -> dict[str, str]:
    """Return the hashes of a name's files; what was imported before they changed is imported again."""
    thing = load(name.name, name.what)
    paths = module_files(name.module)
    found = hashes(paths)
    before = _loaded.get(name.name)
    if before is not None and before[0] is thing:
        stale = before[1] != found
    else:
        stale = any(_changed_since_compiled(path) for path in paths.values())
    if stale:
        _forget(set(paths.values()))
        thing = load(name.name, name.what)
    _loaded[name.name] = thing, found
    return found


def _changed_since_compiled(path: Path) -> bool:
    """Whether a file is not what Python compiled when it imported it last, as far as that is on record."""
    try:
        header = Path(importlib.util.cache_from_source(str(path))).read_bytes()[:16]
        facts = path.stat()
    except (OSError, NotImplementedError):
        return False
    flags, modified, size = (int.from_bytes(header[at : at + 4], "little") for at in (4, 8, 12))
    return not flags and (modified, size) != (int(facts.st_mtime), facts.st_size)


def _forget(paths: set[Path]) -> None:
    """Have the modules of these files imported again when they are next asked for."""
    for name, module in [*sys.modules.items()]:
        file = getattr(module, "__file__", None)
        if file is not None and name != MAIN and Path(file).absolute() in paths:
            del sys.modules[name]
    importlib.invalidate_caches()
