"""`alray label`: label for real, batch after batch."""

import sys
from typing import TYPE_CHECKING, Any

import click

from alray.cli.campaigns import campaign_option, chosen, find_campaign
from alray.cli.label_next import next_command
from alray.cli.label_sync import sync_command
from alray.cli.options import COLUMNS, LocationType, other_settings, read_settings, results_folder
from alray.cli.running import console
from alray.cli.serving import serve_command
from alray.cli.settings_options import Setting, SettingsCommand
from alray.errors import SpecError, StoreError

if TYPE_CHECKING:
    from alray.labelling.from_study import Taken
    from alray.settings.campaign import CampaignSpec
    from alray.settings.location import StudyPath

START = {
    "name": Setting("name", "NAME"),
    "id": COLUMNS["id"],
    "label": COLUMNS["label"],
    "modality": COLUMNS["modality"],
    "group-by": COLUMNS["group-by"],
    "show": Setting("show", "COLUMN,..."),
    "classes": Setting("classes", "A,B,C"),
    "strategy": Setting("strategy", "NAME:OPTION=VALUE"),
    "initial": Setting("initial"),
    "initial-selection": Setting("initial_selection"),
    "audit": Setting("audit"),
    "in-parts": Setting("in_parts"),
    "answers": Setting("answers"),
    "aggregate": Setting("aggregate"),
    "cost": Setting("cost"),
    "currency": Setting("currency"),
    "seed": Setting("seed"),
}
"""Options that set one setting of a campaign each."""


@click.group()
def label() -> None:
    """Label for real: choose what to ask next, take answers back, measure the accuracy.

    `start` begins a campaign, `next` chooses a batch and writes it as a file for a labelling tool, `add` reads the
    tool's export, `sync` does both with a Label Studio server, `serve` opens a page to label with instead, `status`
    says where the campaign stands, and `export` writes the labels.
    """


label.add_command(serve_command)
label.add_command(sync_command)


@label.command(
    "start", cls=SettingsCommand, settings="alray.settings.campaign:CampaignSpec", options=START
)
@click.argument("pool", required=False, metavar="[POOL]")
@click.option(
    "--from",
    "study",
    type=LocationType(folder=True),
    metavar="STUDY",
    help="Take strategy, network, training and pool settings from a sweep: of its best arm where that is shown to be "
    "better than random, else of random.",
)
@click.option("--arm", metavar="NAME", help="Another arm of that sweep.")
@other_settings("training.lr=3e-4")
@results_folder("campaigns and studies")
@click.option("--dry-run", is_flag=True, help="Check everything, begin nothing.")
def start_command(
    pool: str | None,
    given: dict[str, Any],
    study: "StudyPath | None",
    arm: str | None,
    settings: tuple[str, ...],
    results: "StudyPath",
    dry_run: bool,
) -> None:
    """Begin a campaign on POOL: Parquet files of which some objects, or all, have no label.

    POOL may grow later. Labels that are there are learnt from. Without POOL it is that of --from.
    """
    from alray.labelling.campaign import start

    if pool is not None:
        given = {"pool.source": pool, **given}
    elif study is None:
        raise SpecError("name a pool: alray label start POOL, or a sweep with --from STUDY")
    if arm is not None and study is None:
        raise SpecError(f"--arm {arm} is an arm of a sweep: name that with --from STUDY")
    taken = _taken(study, arm)
    spec = _spec(taken, given, settings)
    command = "alray " + " ".join(sys.argv[1:])
    begun = start(spec, results, taken, command=command, dry=dry_run)
    out = console()
    for line in begun.said:
        out.print(line, soft_wrap=True)
    if dry_run:
        out.print(f"the campaign would be {begun.campaign.path}", soft_wrap=True)
        return
    out.print(f"campaign: {begun.campaign.path}", soft_wrap=True)
    out.print(f"next: alray label next 100{chosen(begun.campaign.path)}", soft_wrap=True)


label.add_command(next_command)


@label.command("add")
@click.argument("answers", metavar="FILE")
@campaign_option
@click.option(
    "--format",
    "kind",
    metavar="FORMAT",
    help="Format of the file; found by its content if not given.",
)
@click.option("--take-unasked", is_flag=True, help="Use answers about objects that no batch had.")
@click.option("--allow-new-classes", is_flag=True, help="Accept classes that were not known.")
def add_command(
    answers: str,
    campaign: "StudyPath | None",
    kind: str | None,
    take_unasked: bool,
    allow_new_classes: bool,
) -> None:
    """Add the answers in FILE: a labelling tool's export, or a table with the columns task, worker and label.

    The same file twice adds nothing. A later answer by the same assessor about an object replaces the earlier one,
    which stays on record. Without times the later one is that which stands, or is added, later; a file that has only
    what was replaced since is taken for an older one. What cannot be used is counted and named.
    """
    from alray.cli.display.label import print_added

    found = find_campaign(campaign)
    added = found.add(
        answers, format=kind, take_unasked=take_unasked, allow_new_classes=allow_new_classes
    )
    print_added(console(), added, f"alray label status{chosen(found.path, campaign)}")


@label.command("status")
@campaign_option
@click.option(
    "--target",
    "targets",
    type=float,
    multiple=True,
    metavar="ACCURACY",
    help="Say how many labels this accuracy takes, such as 0.9. Repeat it.",
)
def status_command(campaign: "StudyPath | None", targets: tuple[float, ...]) -> None:
    """Say where the campaign stands, and write it as a page, status.html, into its folder.

    Accuracy with its interval, what more labels would bring, whether to stop or go on, labels, money, assessors, and
    what waits.
    """
    from alray.cli.display.label import print_status
    from alray.reporting.campaign.page import write_status

    found = find_campaign(campaign)
    option = chosen(found.path, campaign)
    status = found.status(targets)
    try:
        page = write_status(found.path, status, option)
    except StoreError:  # who may only read the folder sees the status all the same
        print_status(console(), status, option)
        raise
    print_status(console(), status, option, page)


@label.command("export")
@click.argument("file", metavar="FILE")
@campaign_option
def export_command(file: str, campaign: "StudyPath | None") -> None:
    """Write the labels as FILE, .parquet or .csv: a row per object, with how sure it is and who said so."""
    from alray.analysis.wording import count
    from alray.labelling.export import check_ending

    check_ending(file)
    table = find_campaign(campaign).export(file)
    console().print(f"{count(len(table), 'label')} in {file}", soft_wrap=True)


def _taken(study: "StudyPath | None", arm: str | None) -> "Taken | None":
    from alray.labelling.from_study import take_from

    return None if study is None else take_from(study, arm)


def _spec(
    taken: "Taken | None", given: dict[str, Any], settings: tuple[str, ...]
) -> "CampaignSpec":
    """Return the settings: those of the study, overridden by options, and these by `--set`."""
    from alray.settings.base import flatten
    from alray.settings.campaign import CampaignSpec

    values = {} if taken is None else flatten(taken.values)
    if any(name.startswith("pool.modalities") for name in given):
        values = {
            name: value for name, value in values.items() if not name.startswith("pool.modalities")
        }
    found: CampaignSpec = read_settings(CampaignSpec, None, {**values, **given}, settings)
    return found
