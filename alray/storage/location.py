"""Places outside the local file system: URIs that are shown without what must stay secret."""

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from typing_extensions import override

from alray.errors import SpecError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?:::[A-Za-z][A-Za-z0-9+.-]*)*://")
_SECRETS = re.compile(r"(?P<scheme>[A-Za-z][\w+.:-]*://)(?:[^\s/@]*@)?(?P<path>[^\s?]*)(?:\?\S*)?")
_CONTAINER_FIRST = ("abfs", "abfss")
"""Schemes in which a container stands where others have a user: `abfs://container@account...`."""


@dataclass(frozen=True)
class Location:
    """A folder or file in an object store, to be used much as a Path: it has `/`, name, stem, parent and a text.

    The text is the URI without user information and query, which may hold keys; the object itself keeps them, so that
    what alray returns can be given back to it.

    Attributes:
        scheme: What stands before `://`.
        place: What stands behind it: the bucket and the path.
        user: User information, empty where none.
        query: Query, empty where none.
    """

    scheme: str
    place: str
    user: str = field(default="", repr=False)
    query: str = field(default="", repr=False)

    @classmethod
    def from_text(cls, text: str) -> "Location":
        """Read a URI.

        Raises:
            SpecError: It names no bucket or host, or its user information cannot be told from its path.
        """
        scheme, _, rest = text.partition("://")
        rest, _, query = rest.partition("?")
        host = rest.partition("/")[0]
        user, at, _ = host.rpartition("@")
        before, colon, behind = host.partition(":")
        if not at and colon and not behind.isdigit():
            raise SpecError(
                f"the address {scheme}://{before}:... cannot be read: write a slash in a key or password as %2F, or "
                "better, leave keys to the environment"
            )
        place = rest[len(user) + len(at) :].rstrip("/")
        if not place:
            raise SpecError(f"{scheme}:// names no bucket: write {scheme}://BUCKET/FOLDER")
        return cls(scheme.lower(), place, user, query)

    @property
    def uri(self) -> str:
        """The complete URI, secrets and all: for opening, never to be shown."""
        user = f"{self.user}@" if self.user else ""
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{user}{self.place}{query}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that no message may hold, longest first."""
        parts = [self.user, *self.user.split(":"), self.query]
        parts += [pair.partition("=")[2] for pair in self.query.split("&")]
        found = {text for part in parts for text in (part, unquote(part)) if len(text) > 3}
        return tuple(sorted(found, key=len, reverse=True))

    @override
    def __str__(self) -> str:
        first = self.user.partition(":")[0]
        container = f"{first}@" if self.scheme in _CONTAINER_FIRST and first else ""
        return f"{self.scheme}://{container}{self.place}"

    def __truediv__(self, name: str) -> "Location":
        return self._at(f"{self.place}/{name}")

    @property
    def name(self) -> str:
        """The last part."""
        return PurePosixPath(self.place).name

    @property
    def stem(self) -> str:
        """The last part, ending and all: a folder's name has none."""
        return self.name

    @property
    def parent(self) -> "Location":
        """What it lies in; a bucket lies in itself."""
        above, slash, _ = self.place.rpartition("/")
        return self._at(above) if slash else self

    def _at(self, place: str) -> "Location":
        return Location(self.scheme, place, self.user, self.query)


Place = Path | Location
"""A local folder or file, or one in an object store."""

if TYPE_CHECKING:
    StudyPlace = Path
    """What callers of `sweep` and `report` get. Nearly all work with local folders, and are not to narrow a type each
    time; who gives a URI knows what comes back."""
else:
    StudyPlace = Place


def study_place(place: Place) -> StudyPlace:
    """Return the same, as type checkers are told of it."""
    return place  # type: ignore[return-value]


def location_of(place: str | Path | Location) -> Place:
    """Return a path or, for the text of a URI, its location; `file://` is a local path.

    Raises:
        SpecError: A URI that cannot be read.
    """
    if not isinstance(place, str):
        return place
    if not _SCHEME.match(place):
        return Path(place)
    if place.lower().startswith("file://"):
        return _local(place)
    return Location.from_text(place)


def _local(uri: str) -> Path:
    host, slash, path = uri[len("file://") :].partition("/")
    if host not in {"", "localhost"} or not slash:
        raise SpecError(f"{uri} is no address of a local folder: write file:///FOLDER")
    return Path("/" + unquote(path))


def without_secrets(text: str) -> str:
    """Return a text in which URIs have lost their user information and query."""

    def shown(found: re.Match[str]) -> str:
        if found["scheme"].rstrip(":/").lower() in _CONTAINER_FIRST:
            return found[0].partition("?")[0]
        return found["scheme"] + found["path"]

    return _SECRETS.sub(shown, text)
