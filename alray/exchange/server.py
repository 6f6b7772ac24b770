"""A server with a JSON interface: requests with a token, and what their failures mean."""

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from typing_extensions import override

from alray.errors import ExchangeError

TIMEOUT = 60.0
"""Seconds to wait for each answer."""

_JWT_PARTS = 3


class _Refusal(Exception):  # noqa: N818 -- what a server says, not yet an error of the user's
    """An answer other than yes."""

    def __init__(self, error: HTTPError) -> None:
        super().__init__(error.code)
        # The error holds a connection until it is closed.
        with error:
            self.code = error.code
            self.reason = str(error.reason)
            self.location = error.headers.get("Location", "another address")
            self.text = error.read(2000)


class _NoRedirect(HTTPRedirectHandler):
    """Refuses to go elsewhere: Python's own handler would send the token there too."""

    @override
    def redirect_request(self, *_: Any) -> None:
        return None


class Server:
    """A Label Studio server, asked with the user's token."""

    def __init__(self, url: str, token: str, timeout: float = TIMEOUT) -> None:
        """Take an address such as http://localhost:8080.

        Args:
            url: The address.
            token: The user's: a legacy token, or a personal access token, from which a short-lived one is fetched.
            timeout: Seconds to wait for each answer.

        Raises:
            ExchangeError: It is no address of a server, or holds a password.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ExchangeError(
                f"{url!r} is no address of a server; write one such as http://localhost:8080"
            )
        if parts.username or parts.password:
            raise ExchangeError(
                f"the address of {parts.hostname} holds a name or password; leave it out"
            )
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._token = token
        self._timeout = timeout
        self._opener: OpenerDirector = build_opener(_NoRedirect)
        self._access: str | None = None

    def get(self, path: str, **query: Any) -> Any:
        """Return what a path holds.

        Raises:
            ExchangeError: The server does not answer, or refuses.
        """
        return self._request("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def post(self, path: str, body: Any) -> Any:
        """Send JSON to a path, and return the answer.

        Raises:
            ExchangeError: The server does not answer, or refuses.
        """
        return self._request("POST", path, body)

    def _request(self, method: str, path: str, body: Any) -> Any:
        headers = {"Authorization": self._authorization()}
        try:
            return self._send(method, path, body, headers)
        except _Refusal as refusal:
            if refusal.code == 401 and self._access is not None:
                # A fetched token lasts for minutes.
                self._access = None
                return self._retry(method, path, body)
            raise self._refused(refusal, path) from None

    def _retry(self, method: str, path: str, body: Any) -> Any:
        try:
            return self._send(method, path, body, {"Authorization": self._authorization()})
        except _Refusal as refusal:
            raise self._refused(refusal, path) from None

    def _authorization(self) -> str:
        if self._token.count(".") + 1 != _JWT_PARTS:
            return f"Token {self._token}"
        if self._access is None:
            try:
                found = self._send("POST", "/api/token/refresh/", {"refresh": self._token}, {})
            except _Refusal as refusal:
                raise self._refused(refusal, "/api/token/refresh/") from None
            if not isinstance(found, dict) or not isinstance(found.get("access"), str):
                raise ExchangeError(f"{self.url} answered without a token; is it Label Studio?")
            self._access = found["access"]
        return f"Bearer {self._access}"

    def _send(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(
            f"{self.url}{path}",
            data,
            {"Content-Type": "application/json", "Accept": "application/json", **headers},
            method=method,
        )
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                content = answer.read()
        except HTTPError as error:
            raise _Refusal(error) from None
        except TimeoutError:
            raise self._silent() from None
        except (URLError, OSError, HTTPException, UnicodeError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, TimeoutError):
                raise self._silent() from None
            why = getattr(reason, "strerror", None) or reason
            why = getattr(reason, "strerror", None) or reason
            raise ExchangeError(
                f"{self.url} does not answer ({why}); start the server, or check the address"
            ) from None
        try:
            return json.loads(content) if content else None
        except ValueError:
            raise ExchangeError(
                f"{self.url}{path.partition('?')[0]} answered with something that is no JSON; is it Label Studio?"
            ) from None

    def _silent(self) -> ExchangeError:
        return ExchangeError(
            f"{self.url} did not answer within {self._timeout:g} seconds; run the same command again: nothing is "
            "sent twice"
        )

    def _refused(self, refusal: _Refusal, path: str) -> ExchangeError:
        where = f"{self.url}{path.partition('?')[0]}"
        if refusal.code in {401, 403}:
            return ExchangeError(
                f"{self.url} refuses the token in LABEL_STUDIO_API_KEY ({refusal.code}); copy it from Account & "
                "Settings there"
            )
        if 300 <= refusal.code < 400:
            return ExchangeError(
                f"{where} sends to {refusal.location}, where the token is not sent to; give that server's address"
            )
        hint = "check the address" if refusal.code == 404 else "see the server's log"
        return ExchangeError(f"{where} answered {refusal.code} ({self._detail(refusal)}); {hint}")

    def _detail(self, refusal: _Refusal) -> str:
        """Return what the server says about a failure, without the token that it may repeat."""
        try:
            found = json.loads(refusal.text)
            text = str(found.get("validation_errors") or found.get("detail") or found)
        except (ValueError, AttributeError):
            text = refusal.reason
        for secret in filter(None, (self._token, self._access)):
            text = text.replace(secret, "...")
        return text[:300]
