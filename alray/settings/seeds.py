"""Seeds in settings: a number of seeds, their list, or one."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

MOST_SEEDS = 10_000
"""A larger number of seeds is a seed in the wrong place."""

_HOW = "write a number of seeds (10) or their list (0,3,7)"


def _check_count(count: int) -> int:
    if count > MOST_SEEDS:
        raise ValueError(f"this is a number, not a seed: at most {MOST_SEEDS:,}")
    return count


def _check_seed(seed: int) -> int:
    """Return a seed that fits into a column of the results."""
    if not -(2**63) <= seed < 2**63:
        raise ValueError("a seed lies between -2^63 and 2^63 - 1; choose another one")
    return seed


def _seeds(value: object) -> object:
    """Return the ten seeds 0 to 9 for `10`, and of a command line's text `0,3,7` or `3,` the seeds."""
    if isinstance(value, str):
        try:
            numbers = [int(word) for word in value.split(",") if word.strip()]
        except ValueError:
            raise ValueError(_HOW) from None
        value = numbers if "," in value or not numbers else numbers[0]
    if isinstance(value, int) and not isinstance(value, bool):
        if value > MOST_SEEDS:
            raise ValueError(
                f"this is a number of seeds, at most {MOST_SEEDS:,}; a list of one seed is written {value}, with the "
                f"comma on the command line, and [{value}] in a file"
            )
        value = tuple(range(value))
    if isinstance(value, (tuple, list)) and not value:
        raise ValueError(f"at least one seed is needed; {_HOW}")
    return value


Seed = Annotated[int, AfterValidator(_check_seed)]
SeedCount = Annotated[int, Field(ge=1), AfterValidator(_check_count)]
Seeds = Annotated[tuple[Seed, ...], BeforeValidator(_seeds)]
