"""Errors of remote stores, as messages explain them."""

import re

from alray.settings.location import Location
from alray.settings.secrets import without_secrets

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


def error_text(error: BaseException, location: Location) -> str:
    """Return an error's own text in one line, without secrets."""
    text = " ".join(str(error).split()) or type(error).__name__
    for secret in location.secrets:
        text = text.replace(secret, "***")
    return without_secrets(text)
