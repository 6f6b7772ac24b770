"""The page over HTTP: to whoever has the address with its token, and to nobody else."""

import hmac
import ipaddress
import json
import secrets
import socket
import sys
import unicodedata
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from typing_extensions import override

from alray.errors import AlrayError, SpecError
from alray.labelling.serving.images import ImageError
from alray.labelling.serving.session import NotYoursError, Session

MOST_BYTES = 65_536
"""Longer requests are refused."""

LONGEST_NAME = 100
"""Characters of an assessor's name."""

PAGE = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
}

ALONE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""The policy of an image that is opened by itself: an SVG may hold scripts, which must not run."""


class BadRequestError(Exception):
    """A request is not what the page sends; the message says why."""


class PageServer(ThreadingHTTPServer):
    """The server of a session.

    Attributes:
        session: What lies behind the page.
        token: What the address holds, drawn anew for each server.
        remote_images: Whether the page may load images from the addresses that the pool names.
    """

    daemon_threads: ClassVar[bool] = True  # type: ignore[misc]  # as the base class has it, but not as a class variable

    def __init__(
        self, session: Session, host: str, port: int, *, remote_images: bool = False
    ) -> None:
        """Listen at an address; port 0 takes a free one.

        Raises:
            SpecError: That cannot be done.
        """
        self.session, self.remote_images = session, remote_images
        self.token = secrets.token_urlsafe(24)
        self._host = host
        try:
            self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SpecError(
                f"cannot listen at {host}, port {port}: {reason}; choose another --port (0 takes a free one) or --host"
            ) from None

    @property
    def url(self) -> str:
        """The page's address."""
        host = self._host
        if host in ("", "0.0.0.0", "::"):  # noqa: S104, RUF100 -- everywhere: by the machine's name
            host = socket.gethostname()
        return (
            f"http://{f'[{host}]' if ':' in host else host}:{self.server_address[1]}/{self.token}/"
        )

    @property
    def policy(self) -> str:
        """The page's Content-Security-Policy: nothing but what this server sends."""
        images = "img-src 'self' https: http:" if self.remote_images else "img-src 'self'"
        return (
            f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; {images}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )

    def knows(self, host: str | None) -> bool:
        """Whether a `Host` header names this machine.

        A page elsewhere whose name was made to lead here sends its own name. Ports may differ: tunnels change them.
        """
        try:
            name = urlsplit(f"//{host or ''}").hostname
        except ValueError:
            return False
        if not name:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            own = {"localhost", self._host, socket.gethostname(), socket.getfqdn()}
            return name in {each.lower() for each in own}
        return True

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing where a browser has gone away."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    server_version, sys_version = "alray", ""
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        path = self._path()
        if path is None:
            return
        if path in PAGE:
            name, kind = PAGE[path]
            content = files("alray.labelling.serving").joinpath("page", name).read_bytes()
            self._send(HTTPStatus.OK, content, kind)
        elif path == "image":
            self._image()
        else:
            self._text(HTTPStatus.NOT_FOUND, "there is no such page")

    def do_POST(self) -> None:
        path = self._path()
        if path is None:
            return
        try:
            given = self._body()
            worker = worker_name(given.get("worker"))
            status = self._act(path, worker, given)
            self._json(status, self._state(worker))
        except BadRequestError as error:
            self._json(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        except AlrayError as error:
            self._json(HTTPStatus.SERVICE_UNAVAILABLE, {"error": str(error)})

    def _act(self, path: str, worker: str, given: dict[str, Any]) -> HTTPStatus:
        """Do what is asked for; a conflict is about an object that the assessor does not hold."""
        try:
            self._do(path, worker, given)
        except NotYoursError:
            return HTTPStatus.CONFLICT
        return HTTPStatus.OK

    def _do(self, path: str, worker: str, given: dict[str, Any]) -> None:
        if path == "answer":
            self.server.session.answer(worker, _text_of(given, "task"), _label_of(given))
        elif path == "undo":
            self.server.session.undo(worker)
        elif path != "state":
            raise BadRequestError("there is no such page")

    def _state(self, worker: str) -> dict[str, Any]:
        state = self.server.session.state(worker)
        return {**state, "remote_images": self.server.remote_images}

    def _path(self) -> str | None:
        """Return what is asked for, below the token; answer at once where the request is none of the page's."""
        if not self.server.knows(self.headers.get("Host")):
            self._text(HTTPStatus.MISDIRECTED_REQUEST, "this server has another name")
            return None
        token, slash, rest = urlsplit(self.path).path.removeprefix("/").partition("/")
        given = token.encode("utf-8", "surrogateescape")
        if not slash or not hmac.compare_digest(given, self.server.token.encode()):
            self._text(
                HTTPStatus.NOT_FOUND, "open the whole address that `alray label serve` printed"
            )
            return None
        return unquote(rest)

    def _body(self) -> dict[str, Any]:
        if self.headers.get_content_type() != "application/json":
            raise BadRequestError("the request is not JSON")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self.close_connection = True
            raise BadRequestError("the request has no length, or is too long")
        try:
            found = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise BadRequestError("the request is no JSON object")
        return found

    def _image(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        task, column = (query.get(name, [""])[0] for name in ("task", "column"))
        try:
            image = self.server.session.image(task, column)
        except ImageError as error:
            self._text(HTTPStatus.NOT_FOUND, str(error))
        else:
            self._send(HTTPStatus.OK, image.content, image.kind, ALONE)

    def _json(self, status: HTTPStatus, value: dict[str, Any]) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _text(self, status: HTTPStatus, text: str) -> None:
        self.close_connection = True  # what else the request holds is not read
        self._send(status, text.encode(), "text/plain; charset=utf-8")

    def _send(self, status: HTTPStatus, content: bytes, kind: str, policy: str = "") -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(content))),
            ("Content-Security-Policy", policy or self.server.policy),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
        ):
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Keep requests, and with them the token, out of the terminal."""


def worker_name(given: object) -> str:
    """Return an assessor's name, spaces and forms of the same letters made alike.

    Raises:
        BadRequestError: It is empty, too long, or has characters that cannot be seen.
    """
    name = " ".join(unicodedata.normalize("NFC", given).split()) if isinstance(given, str) else ""
    if not name or len(name) > LONGEST_NAME:
        raise BadRequestError(f"a name has 1 to {LONGEST_NAME} characters")
    if not name.isprintable():
        raise BadRequestError("a name has visible characters alone")
    return name


def _text_of(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise BadRequestError(f"{name} is no text")
    return value


def _label_of(given: dict[str, Any]) -> str | None:
    if "label" not in given:
        raise BadRequestError("there is no label; it is null where the assessor cannot tell")
    return None if given["label"] is None else _text_of(given, "label")
