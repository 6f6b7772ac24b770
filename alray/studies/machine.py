"""What machine this is: versions, memory, disk, processor, commit.

`node_facts` is sent to nodes by value, so that it also runs where alray is not installed: standard library only.
"""

import functools
import hashlib
import importlib.util
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "ray", "numpy", "pyarrow")
MISSING = "not installed"


def node_facts(session_folder: str) -> dict[str, Any]:
    """Return the versions, disks and clock of the node that this runs on, as plain values.

    Ray spills and logs to the disk of its session folder.
    """
    return {
        "host": platform.node(),
        "versions": {
            **alray_versions(),
            "Python": ".".join(map(str, sys.version_info[:2])),
            **{name: version_without_build(name) for name in PACKAGES},
        },
        "disk_free": disk_space(session_folder)[1],
        "memory_disk": disk_space("/dev/shm")[0],
        "clock": time.time(),
    }


def installed_version(package: str) -> str | None:
    """Return an installed package's whole version, None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def version_without_build(package: str) -> str:
    """Return a package's version: a head may have the CPU build of torch, and its workers CUDA's."""
    return (installed_version(package) or MISSING).partition("+")[0]


def alray_versions() -> dict[str, str]:
    """Return alray's version and the fingerprint of its source: a changed checkout keeps its version."""
    found = importlib.util.find_spec("alray")
    if found is None or found.origin is None:
        return {"alray": MISSING, "alray's source": MISSING}
    source = source_fingerprint(Path(found.origin).parent)
    return {"alray": importlib.import_module("alray").__version__, "alray's source": source}


def source_fingerprint(folder: Path) -> str:
    """Return a short hash of all modules below a folder, by name and content."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def disk_space(folder: str) -> tuple[int | None, int | None]:
    """Return the size and the free bytes of the disk of a folder; None where there is no such folder."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None, None
    return usage.total, usage.free


@functools.cache
def own_source() -> str:
    """Return the fingerprint of alray as this process found it."""
    return alray_versions()["alray's source"]


@functools.cache
def own_software() -> str:
    """Return which software a run's rounding depends on: alray with the fingerprint of its source, and PyTorch."""
    return f"alray {alray_versions()['alray']} ({own_source()}), torch {version_without_build('torch')}"


def processor() -> str:
    """Return the name of this machine's processor, with family and model: virtual machines name generations alike."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file():
        return platform.processor()
    facts: dict[str, str] = {}
    for line in cpuinfo.read_text().splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    return _named(facts) or platform.processor()


def _named(facts: Mapping[str, str]) -> str:
    """Return a processor's name from the facts in /proc/cpuinfo."""
    name, family, model = (facts.get(key, "") for key in ("model name", "cpu family", "model"))
    return f"{name} (family {family}, model {model})" if name and family and model else name


def is_same_processor(recorded: str, here: str) -> bool:
    """Return whether a recorded processor is this one; records of before have its name alone."""
    return here == recorded or here.startswith(f"{recorded} (family ")


def git_commit() -> str | None:
    """Return the commit of alray's own checkout, if it runs from one."""
    root = Path(__file__).parents[2]
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    found = subprocess.run(  # a fixed command
        [git, "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None
