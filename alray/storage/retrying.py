"""Errors of remote stores: which are worth another attempt, and how messages explain the others."""

import re
import time
from collections.abc import Callable
from typing import TypeVar

from alray.errors import AlrayError, StoreError
from alray.storage.location import Location, without_secrets

Result = TypeVar("Result")

PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds between attempts."""

_EXPLANATIONS = {
    r"no_?such_?bucket|bucket does not exist|bucket not found": "there is no such bucket: check its name, or make it",
    r"invalid_?access_?key|invalid_client_token|signature_?does_?not": (
        "the key is not valid there: check the credentials"
    ),
    r"expired_?token|token has expired": "the credentials have expired: renew them",
    r"unable to locate credentials|no credentials|default credentials|oauth2 access token|failed to get token": (
        "no credentials were found: set them as for the store's own tools, e.g. AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, or GOOGLE_APPLICATION_CREDENTIALS"
    ),
    r"access_?denied|permission denied|forbidden|unauthorized|http status 40[13]": (
        "access is denied: check the credentials and their permissions (list, read, write and delete)"
    ),
}
"""Pattern of an error that another attempt does not change: its explanation."""


def explanation(error: BaseException) -> str | None:
    """Return the explanation of an error that another attempt cannot change, or None for any other error."""
    text = f"{type(error).__name__} {error}"
    for pattern, words in _EXPLANATIONS.items():
        if re.search(pattern, text, re.IGNORECASE):
            return words
    return None


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


def error_text(error: BaseException, location: Location) -> str:
    """Return an error's own text in one line, without secrets."""
    text = " ".join(str(error).split()) or type(error).__name__
    for secret in location.secrets:
        text = text.replace(secret, "***")
    return without_secrets(text)
