"""Locations in object stores: URIs that are shown without the keys that they may hold."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from typing_extensions import override

from alray.errors import SpecError
from alray.settings.files import expand_home
from alray.settings.secrets import CONTAINER_FIRST

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?:::[A-Za-z][A-Za-z0-9+.-]*)*://")


@dataclass(frozen=True)
class Location:
    """A folder or file in an object store. Like a Path it has `/`, name, stem, parent and a text.

    The text is the URI without user information and query, which may hold keys. The object keeps them, so a location
    that alray returns can be given to alray again.

    Attributes:
        scheme: The URI's scheme, in lower case, such as `s3`.
        bucket_path: The bucket (or host) and the path in it, separated by a slash.
        user: User information, empty where none.
        query: Query, empty where none.
    """

    scheme: str
    bucket_path: str
    user: str = field(default="", repr=False)
    query: str = field(default="", repr=False)

    @classmethod
    def from_text(cls, text: str) -> "Location":
        """Read a URI.

        Raises:
            SpecError: It names no bucket or host, or its user information has an unescaped slash.
        """
        scheme, _, rest = text.partition("://")
        rest, _, query = rest.partition("?")
        host = rest.partition("/")[0]
        user, at, _ = host.rpartition("@")
        before, colon, behind = host.partition(":")
        if not at and colon and not behind.isdigit():
            raise SpecError(
                f"the address {scheme}://{before}:... cannot be read: write a slash in a key or password as %2F, or "
                "better, set keys in the environment"
            )
        bucket_path = rest[len(user) + len(at) :].rstrip("/")
        if not bucket_path:
            raise SpecError(f"{scheme}:// names no bucket: write {scheme}://BUCKET/FOLDER")
        return cls(scheme.lower(), bucket_path, user, query)

    @property
    def uri(self) -> str:
        """The complete URI with its secrets: for opening, never to be shown."""
        user = f"{self.user}@" if self.user else ""
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{user}{self.bucket_path}{query}"

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
        container = f"{first}@" if self.scheme in CONTAINER_FIRST and first else ""
        return f"{self.scheme}://{container}{self.bucket_path}"

    def __truediv__(self, name: str) -> "Location":
        return replace(self, bucket_path=f"{self.bucket_path}/{name}")

    @property
    def name(self) -> str:
        """The last part."""
        return PurePosixPath(self.bucket_path).name

    @property
    def stem(self) -> str:
        """The last part with its ending: the name of a study's folder has no ending."""
        return self.name

    @property
    def parent(self) -> "Location":
        """The folder that holds it; a bucket is its own parent."""
        above, slash, _ = self.bucket_path.rpartition("/")
        return replace(self, bucket_path=above) if slash else self


StudyPath = Path | Location
"""A local folder or file, or one in an object store. Both have `/`, name, stem, parent and a text."""


def location_of(location: str | Path | Location) -> StudyPath:
    """Return a path or, for the text of a URI, its location; `file://` is a local path, and `~` the home folder.

    Raises:
        SpecError: A URI that cannot be read.
    """
    if isinstance(location, Location):
        return location
    if isinstance(location, Path) or not _SCHEME.match(location):
        return Path(expand_home(str(location)))
    if location.lower().startswith("file://"):
        return _local_path(location)
    return Location.from_text(location)


def _local_path(uri: str) -> Path:
    host, slash, path = uri[len("file://") :].partition("/")
    if host not in {"", "localhost"} or not slash:
        raise SpecError(f"{uri} is not the address of a local folder: write file:///FOLDER")
    return Path("/" + unquote(path))
