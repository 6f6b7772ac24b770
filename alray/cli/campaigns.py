"""Which campaign a command is about."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from alray.cli.options import LocationType

if TYPE_CHECKING:
    from alray.labelling.campaign import Campaign
    from alray.settings.location import StudyPath

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
