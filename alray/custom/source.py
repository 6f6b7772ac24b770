"""The source of custom modules: the files that a strategy's or a network's code lies in, and their hashes.

A name's code is the module that it names, its packages, and every module that these import, also within functions, as
far as it lies in the same folder or package. The standard library and other installed packages are left out, and so is
what is imported by a computed name.
"""

import ast
import hashlib
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

INSTALLED = ("site-packages", "dist-packages")
"""Folders of installed packages: what lies side by side there does not belong together."""


def module_files(module_name: str) -> dict[str, Path]:
    """Return the files of a module that can be imported and of those of its folder that it needs, by their names there.

    Empty where the module has no file.
    """
    origin = _origin(module_name)
    if origin is None:
        return {}
    root = folder_of(module_name)
    files: dict[str, Path] = {}
    waiting = [*_with_packages(module_name)]
    while waiting:
        name = waiting.pop()
        path = _file(root, name)
        if path is None or path.relative_to(root).as_posix() in files:
            continue
        files[path.relative_to(root).as_posix()] = path
        for imported in imports(path, name):
            if _belongs(imported, root, module_name):
                waiting += _with_packages(imported)
    # A compiled module is in a file of another name.
    return files or {origin.name: origin}


def hashes(files: dict[str, Path]) -> dict[str, str]:
    """Return the SHA-256 of each file's content."""
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sorted(files.items())
    }


def folder_of(module_name: str) -> Path:
    """Return the folder in which a module's outermost package, or the module itself, lies; "" where it has no file."""
    origin = _origin(module_name)
    if origin is None:
        return Path()
    return origin.parents[module_name.count(".") + (origin.name == "__init__.py")]


def _origin(module_name: str) -> Path | None:
    """Return a module's file, None where it has none: it is built in, or was made by a program."""
    try:
        spec = find_spec(module_name)
    except (ImportError, ValueError):
        return None
    path = Path(spec.origin or "").absolute() if spec is not None else None
    return path if path is not None and path.is_file() else None


def imports(path: Path, module_name: str) -> Iterator[str]:
    """Yield the absolute name of each module that a file may import; `a.b` of `from a import b` may be none."""
    package = module_name if path.name == "__init__.py" else module_name.rpartition(".")[0]
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # whoever imports it will be told
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _with_packages(name: str) -> list[str]:
    """Return a module's name and those of the packages around it, which are imported before it."""
    parts = name.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def _file(root: Path, name: str) -> Path | None:
    """Return the file of a module below a folder, None where there is none."""
    base = root.joinpath(*name.split("."))
    candidates = (base / "__init__.py", base.with_name(f"{base.name}.py"))
    return next((path for path in candidates if path.is_file()), None)


def _belongs(name: str, root: Path, module_name: str) -> bool:
    """Whether a module is of the same folder; in a folder of installed packages, of the same package."""
    outermost = name.partition(".")[0]
    if root.name in INSTALLED and outermost != module_name.partition(".")[0]:
        return False
    return outermost not in ("alray", *sys.stdlib_module_names) and _lies_in(outermost, root)


def _lies_in(outermost: str, root: Path) -> bool:
    """Whether a module or package without dots is imported from this folder."""
    try:
        spec = find_spec(outermost)
    except (ImportError, ValueError):
        return False
    if spec is None:
        return False
    places = list(spec.submodule_search_locations or [spec.origin or ""])
    return any(Path(place).absolute().parent == root for place in places)
