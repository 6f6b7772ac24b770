"""What a cell of a shown column is to an assessor: a text, a link, or an image, and which image files may be read."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

MOST_BYTES = 50_000_000
"""Larger image files are not sent."""

ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".avif", ".svg")

_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
)


class ImageError(Exception):
    """An image cannot be shown; the message says why, for an assessor."""


@dataclass(frozen=True)
class Image:
    """An image's bytes, and what kind of image they are by their content."""

    content: bytes
    kind: str


def kind_of(cell: str) -> str:
    """Return what a cell is: `text`, `image` (a file), `remote_image` or `link`."""
    text = cell.strip()
    if not text or len(text) > 4096 or "\n" in text:
        return "text"
    if text.lower().startswith(("http://", "https://")):
        if any(each.isspace() for each in text):
            return "text"
        try:
            ending = Path(urlsplit(text).path).suffix.lower()
        except ValueError:
            return "text"
        return "remote_image" if ending in ENDINGS else "link"
    return "image" if Path(text).suffix.lower() in ENDINGS and len(text) <= 1024 else "text"


def read_image(cell: str, folder: Path) -> Image:
    """Read the image file that a cell names.

    A relative path lies below the pool's folder. An absolute one lies in the folder that it names. Neither may leave
    that folder by `..` or by a link, and the content has to be an image, whatever the name says.

    Args:
        cell: The path.
        folder: The pool's folder.

    Raises:
        ImageError: It may not be read, cannot be, or is no image.
    """
    path = Path(cell.strip())
    if ".." in path.parts:
        raise ImageError("its path has '..', which is not followed")
    below = path.parent if path.is_absolute() else folder
    try:
        root, found = below.resolve(strict=True), (folder / path).resolve(strict=True)
        if not found.is_relative_to(root):
            raise ImageError("a link leads out of the folder of images, and is not followed")
        if not found.is_file():
            raise ImageError("it is no file")
        if found.stat().st_size > MOST_BYTES:
            raise ImageError(f"it is larger than {MOST_BYTES:,} bytes")
        content = found.read_bytes()
    except FileNotFoundError:
        raise ImageError("there is no such file") from None
    except (OSError, ValueError, RuntimeError):  # RuntimeError: links in a circle
        raise ImageError("it cannot be read") from None
    kind = _kind_by_content(content)
    if kind is None:
        raise ImageError("its content is no image that browsers show")
    return Image(content, kind)


def _kind_by_content(content: bytes) -> str | None:
    for start, kind in _STARTS:
        if content.startswith(start):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    beginning = content[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    is_svg = beginning.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg"))
    return "image/svg+xml" if is_svg and b"<svg" in beginning else None
