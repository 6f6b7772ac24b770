"""Which lines on the standard error are alray's own: any other line there comes from Ray or is a bug."""

import re
from collections.abc import Iterable

HOST = r"(?:[\w.-]+(?: #\d+)?: )?"
USUAL = (
    r"\w+: [\d,]+ objects, ",
    r"train [\d, to]+, validation [\d, to]+, test [\d, to]+, (?:drawn|the same) for ",
    r"outside this budget: \+ ",
    r"\d+ arms? x \d+ seeds? = \d+ runs?; ",
    r"\d+ runs? finished before$",
    r"joining the Ray cluster at ",
    r"passive phase done, accuracy ",
    r"\[\d+/\d+\] ",
    r"[\d,]+/[\d,]+ (?:round|run)s? in ",
)
UNUSUAL = (
    rf"{HOST}worker died \(.*\); .* (?:starts again(?: after round \d+)?|is given up)$",
    rf"{HOST}a worker could not start: ",
    r"[\w.-]+: \d+ workers were lost or could not start",
    rf"{HOST}.+ has not reported for \d+ s",
    rf"{HOST}.+ is tried on another node$",
    r"[\w.-]+ has run out of memory: ",
    r"no worker could start for ",
    r"node [\w.-]+: its clock is at least ",
    r"stopping after the rounds in progress$",
    r"stopped; the same command goes on from here$",
    r"failed: ",
    r"error: ",
)
_USUAL = re.compile("|".join(USUAL))
_ANY = re.compile("|".join(USUAL + UNUSUAL))


def foreign(lines: Iterable[str]) -> list[str]:
    """Return the lines that are not alray's."""
    return [line for line in lines if not _ANY.match(line)]


def unusual(lines: Iterable[str]) -> list[str]:
    """Return the lines that alray does not print where nothing is wrong."""
    return [line for line in lines if not _USUAL.match(line)]
