"""What came from a labelling tool's server and went there, in a terminal."""

from rich.console import Console

from alray.analysis.wording import count, is_or_are
from alray.cli.display.label import print_line, print_outcomes
from alray.labelling.studio_project import nothing_waits
from alray.labelling.syncing import Pulled, Sent


def print_pulled(console: Console, pulled: Pulled) -> None:
    """Print how many answers a project has, and what became of them."""
    title = pulled.project.title
    if pulled.added is None:
        print_line(console, f"pulled: nothing; {title} has no answers yet")
        return
    print_line(console, f"pulled: {count(pulled.answers, 'answer')} from {title}")
    print_outcomes(console, pulled.added)


def print_sent(console: Console, sent: Sent, option: str) -> None:
    """Print what was sent where, and what to do next."""
    title = sent.project.title
    if sent.origin != "known":
        how = {
            "made": f"made {title}",
            "found": f"found {title}, which an earlier command made for this campaign",
            "named": f"took {title}",
        }[sent.origin]
        print_line(console, f"{how}; from now on `alray label sync{option}` will do")
    print_line(console, _about_pushed(sent))
    if sent.left_behind:
        print_line(
            console,
            f"{count(sent.left_behind, 'object')} of earlier batches {is_or_are(sent.left_behind)} not sent there, and "
            "without an answer; `alray label next N --again` asks about such objects first",
        )
    if sent.waiting:
        wait = "waits" if sent.waiting == 1 else "wait"
        following = (
            f"have the {count(sent.waiting, 'object')} that {wait} answered, then alray label sync"
        )
    else:
        following = "alray label next 200 --sync"
    console.print(f"next: {following}{option}", soft_wrap=True)


def _about_pushed(sent: Sent) -> str:
    """Return what was sent."""
    pushed = sent.pushed
    if pushed is None:
        return f"pushed: nothing; {nothing_waits(sent.batch)}"
    already, many = count(pushed.already, "object"), pushed.already != 1
    there = f"{'were' if many else 'was'} there already"
    if not pushed.added:
        return f"pushed: nothing; the {already} of batch {sent.batch} that {'wait' if many else 'waits'} {there}"
    found = f"pushed: {count(pushed.added, 'object')} of batch {sent.batch}"
    return f"{found}; {already} {there}" if pushed.already else found
