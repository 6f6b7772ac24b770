"""`alray label next`: choose a batch, write it as a file or send it to a server."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alray.cli.campaigns import campaign_option, chosen, find_campaign
from alray.cli.label_sync import server_option
from alray.cli.running import console
from alray.cli.settings_options import Setting, SettingsCommand
from alray.errors import SpecError

if TYPE_CHECKING:
    from alray.labelling.campaign import Campaign
    from alray.settings.location import StudyPath
    from alray.studies.campaign.made_batch import MadeBatch

PARTS = {
    "executor": Setting("executor"),
    "address": Setting("address", "ADDRESS"),
    "parallel": Setting("parallel"),
}
"""Options of where a pool is read that was begun with --in-parts."""

FORMAT = "csv"
"""The format of a batch, unless another is named."""


@click.command(
    "next", cls=SettingsCommand, settings="alray.settings.common:ExecutionSpec", options=PARTS
)
@click.argument("objects", type=click.IntRange(min=1), metavar="N")
@campaign_option
@click.option(
    "--format",
    "kind",
    default=FORMAT,
    show_default=True,
    metavar="FORMAT",
    help="Format of the file.",
)
@click.option(
    "--out",
    metavar="FILE",
    help="The file; NAME-batch-0001.csv in the present folder if not given, with the batch's number.",
)
@click.option(
    "--new", is_flag=True, help="Choose another batch, though nothing is answered of the last one."
)
@click.option(
    "--again",
    is_flag=True,
    help="Ask first about objects of earlier batches without an answer that names a class.",
)
@click.option(
    "--sync",
    is_flag=True,
    help="As `alray label sync` does, add the server's answers first, and send it the batch; no file unless --out.",
)
@server_option
def next_command(
    objects: int,
    given: dict[str, Any],
    campaign: "StudyPath | None",
    kind: str,
    out: str | None,
    new: bool,
    again: bool,
    sync: bool,
    url: str | None,
) -> None:
    """Choose the next N objects, and write them as a file for a labelling tool.

    Fits the network on all labels known, scores the rest of the pool, and chooses; some objects are of the audit part,
    which measures the accuracy. Where nothing has been answered about the last batch, the same one is written again.
    Of a campaign that began with --in-parts, Ray tasks read the pool; --executor and others say where.
    """
    from alray.cli.display.label import print_batch
    from alray.cli.display.label_sync import print_pulled, print_sent
    from alray.exchange.reading import format_named

    ending = format_named(kind).ending
    if url is not None and not sync:
        raise SpecError(f"--label-studio {url} is where --sync sends the batch: add --sync")
    found = find_campaign(campaign)
    if out is not None or not sync:
        # Before minutes of work; where the last batch is written again, its file is looked for below.
        _require_no_file(_file_of(found, out, found.last_batch + 1, ending))
    errors, option = console(stderr=True), chosen(found.path, campaign)
    if sync:
        with errors.status("fetching answers"):
            pulled = found.pull(url)
        if pulled is not None:
            print_pulled(console(), pulled)
    batch = _chosen_batch(found, objects, given, new=new, again=again)
    files: tuple[Path, ...] = ()
    if out is not None or not sync:
        target = _file_of(found, out, batch.number, ending)
        _require_no_file(target)
        files = found.write(batch, target, kind)
    if not sync:
        print_batch(console(), batch, files, f"alray label add FILE{option}")
        return
    print_batch(console(), batch, files)
    with errors.status("sending the batch"):
        sent = found.push(url)
    print_sent(console(), sent, option)


def _file_of(campaign: "Campaign", out: str | None, number: int, ending: str) -> Path:
    """Return the file of a batch."""
    return Path(out or f"{campaign.path.name}-batch-{number:04d}.{ending}")


def _chosen_batch(
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


def _require_no_file(path: Path) -> None:
    """Refuse to write over a file, which assessors may be filling in."""
    if path.exists():
        raise SpecError(
            f"{path} is there already, and may hold answers: name another file with --out, or remove it"
        )
