"""What goes wrong with a remote store: what is worth another attempt, and what people are told."""

import time
from collections.abc import Callable
from typing import TypeVar

from alray.errors import AlrayError, StoreError
from alray.storage.location import Location, without_secrets

Result = TypeVar("Result")

PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds between attempts."""

_MEANINGS = (
    (
        ("no_such_bucket", "nosuchbucket", "bucket does not exist", "bucket not found"),
        "there is no such bucket: check its name, or make it",
    ),
    (
        ("invalid_access_key", "invalidaccesskey", "invalid_client_token", "signature_does_not", "signaturedoesnot"),
        "the key is not valid there: check the credentials",
    ),
    (
        ("expired_token", "expiredtoken", "token has expired"),
        "the credentials have expired: renew them",
    ),
    (
        ("unable to locate credentials", "no credentials", "default credentials", "oauth2 access token", "failed to get token"),
        "no credentials were found: set them as for the store's own tools, e.g. AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, or GOOGLE_APPLICATION_CREDENTIALS",
    ),
    (
        ("access_denied", "accessdenied", "permission denied", "forbidden", "unauthorized", "http status 401", "http status 403"),
        "access is denied: check the credentials and what they may do there (list, read, write and delete)",
    ),
)  # fmt: skip
"""Texts of errors that another attempt does not change: what they mean."""


def meaning(error: BaseException) -> str | None:
    """Return what an error means that another attempt cannot change, or None for any other."""
    said = f"{type(error).__name__} {error}".lower()
    for texts, words in _MEANINGS:
        if any(text in said for text in texts):
            return words
    return None


def patiently(
    act: Callable[[], Result], location: Location, doing: str, pauses: tuple[float, ...] = PAUSES
) -> Result:
    """Do something with a store, again after a pause where the network may have been the reason.

    Whatever is done must be the same when done twice.

    Args:
        act: What to do.
        location: What it is done to, for the message.
        doing: read, written, ...: for the message.
        pauses: Seconds between attempts.

    Raises:
        FileNotFoundError: What should be read is not there.
        StoreError: It cannot be done; says what stays valid and what to do.
    """
    for pause in (*pauses, None):
        try:
            return act()
        except (AlrayError, FileNotFoundError):
            raise
        except Exception as error:  # noqa: BLE001 -- each package has errors of its own kind
            known = meaning(error)
            if known is not None:
                raise StoreError(f"{location} cannot be {doing}: {known}") from None
            if pause is None:
                raise StoreError(
                    f"{location} cannot be {doing}: {plainly(error, location)}; what is there already stays valid: "
                    "see to the network, and run the same command again"
                ) from None
            time.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def plainly(error: BaseException, location: Location) -> str:
    """Return an error's own words in one line, without secrets."""
    said = " ".join(str(error).split()) or type(error).__name__
    for secret in location.secrets:
        said = said.replace(secret, "***")
    return without_secrets(said)
