"""What cannot work is refused before a pool is read in parts."""

from alray.strategies.libraries.strategy import LibraryStrategy
from alray.studies.choosing.rule import Rule


def check_room(rule: Rule, number: int, compared: int) -> None:
    """Refuse another library's strategy that cannot compare as many objects as its short list may have.

    Args:
        rule: How the strategy chooses.
        number: Objects to choose.
        compared: The most that the short list may have.

    Raises:
        SpecError: Names both numbers, and what works.
    """
    strategy = rule.strategy
    if not isinstance(strategy, LibraryStrategy):
        return
    most = strategy.known.most
    way = f"use shortlist={most}" if number <= most else f"choose at most {most:,} objects"
    strategy.require_room(compared, f"{way}, or use another strategy, such as margin")
