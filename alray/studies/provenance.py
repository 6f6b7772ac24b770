"""What made something, as manifests have it: alray, the command, packages, the machine."""

import platform
from collections.abc import Mapping
from typing import Any

from alray._version import __version__
from alray.settings.secrets import without_secrets
from alray.studies.machine import PACKAGES, git_commit, installed_version, own_source, processor


def made_by(command: str) -> dict[str, Any]:
    """Return which alray makes something, and by which command."""
    return {
        "alray": __version__,
        "source": own_source(),
        "git_commit": git_commit(),
        "command": without_secrets(command),
    }


def made_on(versions: Mapping[str, str]) -> dict[str, Any]:
    """Return the machine and the versions of packages, besides those that alray always names."""
    return {
        "python": platform.python_version(),
        "versions": {**{name: installed_version(name) for name in PACKAGES}, **versions},
        "machine": {"system": platform.platform(), "processor": processor()},
    }
