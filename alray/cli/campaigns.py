"""Which campaign a command is about, and its next batch."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alray.cli.options import LocationType
from alray.cli.running import console

if TYPE_CHECKING:
    from alray.labelling.campaign import Campaign
    from alray.settings.location import StudyPath
    from alray.studies.campaign.made_batch import MadeBatch

campaign_option = click.option(
    "--campaign",
    type=LocationType(folder=True),
    metavar="DIR|URI",
    help="The campaign's folder; the only one below results if not given.",
)


def find_campaign(campaign: "StudyPath | None") -> "Campaign":
    """Return the campaign that is named, or the only one below `results`."""
    from alray.labelling.campaign import Campaign
    from alray.labelling.finding import only_campaign

    return Campaign(only_campaign(Path("results")) if campaign is None else campaign)


def chosen(path: "StudyPath", given: "StudyPath | None" = None) -> str:
    """Return the option that names a campaign in the next command, where it has to be named."""
    if given is None:
        from alray.labelling.finding import campaigns_in

        if [str(each) for each in campaigns_in(Path("results"))] == [str(path)]:
            return ""
    return f" --campaign {path}"


def chosen_batch(
    campaign: "Campaign", objects: int, given: dict[str, Any], *, new: bool, again: bool
) -> "MadeBatch":
    """Return the next batch; show what happens meanwhile."""
    from alray.cli.display.choosing_progress import ChoosingDisplay
    from alray.cli.display.log_lines import logged_to
    from alray.settings.base import validate
    from alray.settings.common import ExecutionSpec

    execution = validate(ExecutionSpec, given, "the options") if given else None
    errors = console(stderr=True)
    with logged_to(errors):
        if campaign.settings.in_parts:
            display = ChoosingDisplay(errors, "reading")
            return campaign.next(
                objects, new=new, again=again, execution=execution, observer=display
            )
        with errors.status("fitting and choosing"):
            return campaign.next(objects, new=new, again=again, execution=execution)
