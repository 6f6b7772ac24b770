"""Open files of text: UTF-8 with or without a byte order mark, gzipped or not."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from alray.errors import PoolError

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """Open a file for reading text; line ends are kept.

    Raises:
        PoolError: It is not UTF-8, or damaged.
    """
    with open_bytes(path) as stream, io.TextIOWrapper(stream, "utf-8", newline="") as text:
        yield text


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a file of text for reading bytes, behind its byte order mark.

    Raises:
        PoolError: It is not UTF-8, or damaged.
    """
    try:
        with cast(
            "BinaryIO", gzip.open(path) if path.suffix == ".gz" else path.open("rb")
        ) as stream:
            start = stream.read(3)
            if start[:2] in _UTF16_MARKS:
                raise PoolError(f"{path}: not UTF-8 text but UTF-16; save it as UTF-8")
            if start != _UTF8_MARK:
                stream.seek(0)
            yield stream
    except UnicodeDecodeError as error:
        raise PoolError(f"{path}: not UTF-8 text ({error}); save it as UTF-8") from None
    except (OSError, EOFError, zlib.error) as error:
        raise PoolError(f"{path}: cannot be read: {error}") from None
