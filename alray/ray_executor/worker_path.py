"""Where workers look for modules: where the driver does, in its order."""

import os
import sys
import sysconfig
from itertools import takewhile
from pathlib import Path

from ray.job_config import JobConfig
from typing_extensions import override

from alray import _version
from alray.custom.source import INSTALLED
from alray.studies.machine import installed_version


class DriverPath(JobConfig):
    """A job whose workers look into the given folders first, into the present one only if it is given.

    Ray puts that folder before all others, where a file called `torch.py` hides the library.
    """

    @override
    def _runtime_env_has_working_dir(self) -> bool:
        """Whether Ray should leave the folders alone."""
        return True


def job_config() -> JobConfig:
    """Return the settings of a job whose workers find modules as this process does; custom ones bring their folders."""
    folders = _first_folders()
    if installed_version("alray") is None:
        folders.append(str(Path(_version.__file__).absolute().parents[1]))
    # Ray puts one after the other before all that is there.
    return DriverPath(_py_driver_sys_path=[*reversed(folders)])


def _first_folders() -> list[str]:
    """Return the folders before the standard library's, those of PYTHONPATH left out: mostly a script's."""
    library = sysconfig.get_path("stdlib")
    first = takewhile(lambda folder: folder != library and not folder.endswith(".zip"), sys.path)
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    folders = [Path(folder or ".").absolute() for folder in first if folder not in inherited]
    # Packages may put folders of their own there, Ray among them: in each worker as well.
    return [str(folder) for folder in folders if not {*INSTALLED} & {*folder.parts}]
