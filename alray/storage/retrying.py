"""Requests to remote stores: which errors are worth another attempt."""

import time
from collections.abc import Callable
from typing import TypeVar

from alray.errors import AlrayError, StoreError
from alray.remote.failures import error_text, explanation
from alray.settings.location import Location

Result = TypeVar("Result")

PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds between attempts."""


def with_retries(
    act: Callable[[], Result], location: Location, verb: str, pauses: tuple[float, ...]
) -> Result:
    """Send a request to a store, and send it again after a pause where the network may have been the reason.

    So two requests must have the same effect as one. A message is `<location> cannot be <verb>: ...`.

    Raises:
        FileNotFoundError: The object to read is missing.
        StoreError: The request failed; the message gives the reason and the next step.
    """
    for pause in (*pauses, None):
        try:
            return act()
        except (AlrayError, FileNotFoundError):
            raise
        except Exception as error:  # noqa: BLE001 -- each package has errors of its own kind
            known = explanation(error)
            if known is not None:
                raise StoreError(f"{location} cannot be {verb}: {known}") from None
            if pause is None:
                raise StoreError(
                    f"{location} cannot be {verb}: {error_text(error, location)}; everything written before stays "
                    "valid: check the network, and run the same command again"
                ) from None
            time.sleep(pause)
    raise AssertionError("the last attempt returns or raises")
