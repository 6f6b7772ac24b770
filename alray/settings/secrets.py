"""Texts in which addresses are shown without the keys that they may hold."""

import re

_SECRETS = re.compile(r"(?P<scheme>[A-Za-z][\w+.:-]*://)(?:[^\s/@]*@)?(?P<path>[^\s?]*)(?:\?\S*)?")
CONTAINER_FIRST = ("abfs", "abfss")
"""Schemes that write a container where others write a user: `abfs://container@account...`."""


def without_secrets(text: str) -> str:
    """Return a text in which URIs have lost their user information and query."""

    def shown(found: re.Match[str]) -> str:
        if found["scheme"].rstrip(":/").lower() in CONTAINER_FIRST:
            return found[0].partition("?")[0]
        return found["scheme"] + found["path"]

    return _SECRETS.sub(shown, text)
