"""`alray label serve`: a page to label with, until Ctrl-C."""

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from alray.cli.campaigns import campaign_option, chosen, find_campaign
from alray.cli.running import console

if TYPE_CHECKING:
    from alray.labelling.campaign import Campaign
    from alray.labelling.serving.session import Session
    from alray.settings.location import StudyPath

ADD_SECONDS = 30.0
"""Answers are added to the ledger after so long: each time makes a file, so not after each answer."""

LOOK_SECONDS = 0.2
"""How often it is looked whether the page is to end."""


@click.command("serve")
@campaign_option
@click.option(
    "--show",
    metavar="COLUMN,...",
    help="Columns of the pool that assessors see; those of the campaign if not given.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Where to listen; 0.0.0.0 is everywhere, unencrypted.",
)
@click.option(
    "--port",
    default=8090,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port; 0 takes a free one.",
)
@click.option(
    "--remote-images",
    is_flag=True,
    help="Load images from the addresses that the pool names; without it these are links.",
)
def serve_command(
    campaign: "StudyPath | None", show: str | None, host: str, port: int, remote_images: bool
) -> None:
    """Open a page to label with, for several assessors, until Ctrl-C.

    It shows the objects that wait for answers. Each answer is on the disk at once, and in the campaign within a minute.
    Only whoever has the whole address can use it.
    """
    found = find_campaign(campaign)
    columns = [] if show is None else [each.strip() for each in show.split(",") if each.strip()]
    _serve(found, columns, (host, port), chosen(found.path, campaign), remote_images=remote_images)


def _serve(
    campaign: "Campaign",
    show: Sequence[str],
    address: tuple[str, int],
    option: str,
    *,
    remote_images: bool,
) -> None:
    """Open the page, print its address, and wait for Ctrl-C.

    Args:
        campaign: The campaign.
        show: Columns that assessors see; none for the campaign's.
        address: Host and port.
        option: What names the campaign in the next command.
        remote_images: Whether the page may load images from the addresses that the pool names.

    Raises:
        AlrayError: It cannot be opened.
    """
    from alray.analysis.wording import count
    from alray.labelling.serving.server import PageServer
    from alray.labelling.serving.session import Session

    out = console()
    session = Session(campaign, show)
    came, of, problem = 0, 0, ""
    try:
        server = PageServer(session, *address, remote_images=remote_images)
        if session.left_over:
            out.print(
                f"{count(session.left_over, 'row')} that an earlier page had left in {session.journal} "
                "went into the ledger",
                soft_wrap=True,
            )
        out.print(f"{count(session.waiting, 'object')} to answer about, at", soft_wrap=True)
        out.print(server.url, soft_wrap=True)
        out.print("Ctrl-C ends it; who has this address can answer", soft_wrap=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _add_until_stopped(session)
        server.shutdown()
        server.server_close()
    finally:
        came, of, problem = session.close()
    by = f" by {count(of, 'assessor')}" if came else ""
    out.print(f"\n{count(came, 'answer')} came{by}", soft_wrap=True)
    if problem:
        out.print(
            f"they are safe in {session.journal}, and not yet in the ledger: {problem}; the next `alray label serve`, "
            f"or `alray label add {session.journal}`, adds them",
            soft_wrap=True,
        )
    else:
        out.print(f"next: alray label status{option}", soft_wrap=True)


def _add_until_stopped(session: "Session") -> None:
    """Add answers to the ledger from time to time, until Ctrl-C or another signal to end."""
    from alray.studies.interrupts import stop_requested

    with stop_requested() as stopped:
        last = time.monotonic()
        while not stopped():
            time.sleep(LOOK_SECONDS)
            if time.monotonic() - last >= ADD_SECONDS:
                session.flush()
                last = time.monotonic()
