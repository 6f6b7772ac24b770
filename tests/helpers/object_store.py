"""An S3 server on loopback for the tests: moto's, with a log of requests, delays and faults."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer
from pyarrow import fs

from alray.storage.lease import LeaseTimes
from alray.storage.object_store import RemoteStorage

BUCKET = "bucket"
QUICK = LeaseTimes(renewal=0.3, expiry=2.5, pause=0.2)
"""A lease for tests; the server's times are whole seconds."""


class S3Server:
    """A server that keeps its content while it is down.

    Attributes:
        log: Method, path and query of each request.
        alone: How many requests came while no other one was being answered.
        delay: Seconds that each request takes at least.
        refuses: Whether a request is answered with a server error, or not at all.
    """

    def __init__(self) -> None:
        self.log: list[tuple[str, str, str]] = []
        self.alone = self._at_once = 0
        self._counting = Lock()
        self.delay = 0.0
        self.refuses: Callable[[str, str, str], bool] = _never
        self._port = 0
        self.start()
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        self._moto = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._moto.start()
        _, self._port = self._moto.get_host_and_port()
        server: Any = self._moto._server  # the only way to moto's application, and to its socket
        self._inner = server.app
        server.app = self._serve

    def stop(self) -> None:
        self._moto.stop()
        server: Any = self._moto._server
        server.server_close()

    def system(self) -> fs.S3FileSystem:
        """Return a file system to look at the content."""
        return fs.S3FileSystem(
            access_key="testing",
            secret_key="testing",
            region="us-east-1",
            scheme="http",
            endpoint_override=self.address,
            allow_bucket_creation=True,
        )

    def names(self, folder: str) -> set[str]:
        """Return the objects below a folder of the bucket, but for the lock's."""
        base = f"{BUCKET}/{folder}"
        found = self.system().get_file_info(
            fs.FileSelector(base, recursive=True, allow_not_found=True)
        )
        names = {i.path.removeprefix(f"{base}/") for i in found if i.type == fs.FileType.File}
        return {name for name in names if not name.startswith(".lock/")}

    def fill(self, names: list[str]) -> None:
        """Make objects without requests."""
        for name in names:
            s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(BUCKET, name, b"x")

    def read(self, name: str) -> bytes:
        with self.system().open_input_file(f"{BUCKET}/{name}") as file:
            content: bytes = file.read()
        return content

    def _serve(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        request = (environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"])
        self.log.append(request)
        with self._counting:
            self.alone += self._at_once == 0
            self._at_once += 1
        try:
            return self._answer(request, environ, start_response)
        finally:
            with self._counting:
                self._at_once -= 1

    def _answer(
        self, request: tuple[str, str, str], environ: dict[str, Any], start_response: Any
    ) -> Any:
        time.sleep(self.delay)
        if self.refuses(*request):
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response("500 Internal Server Error", [("Content-Length", "0")])
            return [b""]
        return self._inner(environ, start_response)


def _never(_method: str, _path: str, _query: str) -> bool:
    return False


@pytest.fixture(scope="session")
def running_server() -> Iterator[S3Server]:
    server = S3Server()
    server.system().create_dir(BUCKET)
    yield server
    server.stop()


@pytest.fixture
def server(running_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """The server as the environment's S3, with quick leases and short pauses."""
    for name, value in running_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(RemoteStorage, "times", QUICK)
    monkeypatch.setattr(RemoteStorage, "pauses", (0.05,))
    running_server.log.clear()
    yield running_server
    running_server.delay, running_server.refuses = 0.0, _never


@contextmanager
def down(server: S3Server) -> Iterator[None]:
    """Stop the server within the block."""
    server.stop()
    try:
        yield
    finally:
        server.start()


def hurried_driver(spec: str, results: str, *more: str) -> list[str]:
    """Return a command that runs a study as `tests.helpers.driven` does, with a quick lease; it reports every round."""
    code = (
        "import sys\nfrom alray.storage.object_store import RemoteStorage\n"
        f"from alray.storage.lease import LeaseTimes\nRemoteStorage.times = {QUICK!r}\n"
        "from alray.studies.sweep.worker import RunWorker\nadvance = RunWorker.advance\n"
        "RunWorker.advance = lambda worker: advance(worker, 0.0)\n"
        "from tests.helpers.driven import main\nsys.exit(main(*sys.argv[1:]))"
    )
    return [sys.executable, "-c", code, spec, results, *more]
