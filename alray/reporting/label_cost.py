"""What a label costs, as it is written on the command line."""

import re

from alray.errors import SpecError


def parse_cost(cost: float | str | None) -> tuple[float | None, str]:
    """Return amount and currency of `0.05`, `0.05 EUR` or `$0.05`, without a currency where none is named.

    Raises:
        SpecError: It holds no number, or a negative one.
    """
    if cost is None:
        return None, ""
    match = re.fullmatch(
        r"\s*(?P<before>[^\d\s.+-]*)\s*(?P<amount>\d*\.?\d+)\s*(?P<after>\D*?)\s*", str(cost)
    )
    if match is None:
        raise SpecError(
            f"--label-cost {cost}: write what a label costs, such as 0.05 or '0.05 EUR'"
        )
    return float(match["amount"]), match["before"] or match["after"]
