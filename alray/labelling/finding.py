"""Find the campaigns below a folder."""

from pathlib import Path

from alray.errors import AlrayError, SpecError
from alray.studies import manifest
from alray.studies.folder import Folder


def campaigns_in(folder: Path) -> list[Path]:
    """Return the folders of the campaigns directly below a local folder, by name."""
    found = []
    for settings in sorted(folder.glob("*/study.yaml")):
        there = Folder(settings.parent)
        try:
            if manifest.kind_of(there, manifest.read(there, warn=False)) == manifest.CAMPAIGN:
                found.append(settings.parent)
        except AlrayError:  # a study that cannot be read is not one's own
            continue
    return found


def only_campaign(folder: Path) -> Path:
    """Return the only campaign below a local folder.

    Raises:
        SpecError: There is none, or more than one.
    """
    found = campaigns_in(folder)
    if len(found) == 1:
        return found[0]
    if not found:
        raise SpecError(
            f"there is no campaign below {folder}/: begin one with `alray label start POOL`, or name it with "
            "--campaign DIR"
        )
    names = ", ".join(str(each) for each in found)
    raise SpecError(f"there are {len(found)} campaigns: {names}; name one with --campaign DIR")
