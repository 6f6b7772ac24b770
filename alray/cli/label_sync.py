"""`alray label sync`: answers from a Label Studio server, tasks to it; alone, and around `alray label next`."""

from typing import TYPE_CHECKING

import click

from alray.cli.campaigns import campaign_option, chosen, find_campaign
from alray.cli.running import console

if TYPE_CHECKING:
    from alray.settings.location import StudyPath


server_option = click.option(
    "--label-studio",
    "url",
    metavar="URL",
    help="Address of the server, such as http://localhost:8080; needed only the first time.",
)


@click.command("sync")
@campaign_option
@server_option
@click.option(
    "--project",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of a project that is there; one is made the first time if not given.",
)
@click.option(
    "--new-project", is_flag=True, help="Make another project, though the campaign has one."
)
@click.option("--take-unasked", is_flag=True, help="Use answers about objects that no batch had.")
@click.option("--allow-new-classes", is_flag=True, help="Accept classes that were not known.")
def sync_command(
    campaign: "StudyPath | None",
    url: str | None,
    project: int | None,
    new_project: bool,
    take_unasked: bool,
    allow_new_classes: bool,
) -> None:
    """Add the answers that a Label Studio server has, and send it the last batch.

    The first time it makes a project, unless --project names one. The campaign keeps its address and number, so that
    `alray label sync` alone will do later. The token comes from the environment variable LABEL_STUDIO_API_KEY, and is
    never stored. Nothing is added or sent twice.
    """
    from alray.cli.display.label_sync import print_pulled, print_sent

    found = find_campaign(campaign)
    with console(stderr=True).status("fetching answers and sending tasks"):
        synced = found.sync(
            url,
            project=project,
            new_project=new_project,
            take_unasked=take_unasked,
            allow_new_classes=allow_new_classes,
        )
    if synced.pulled is not None:
        print_pulled(console(), synced.pulled)
    print_sent(console(), synced.sent, chosen(found.path, campaign))
