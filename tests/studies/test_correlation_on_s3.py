"""A correlation study in an object store: the same as a local one, and a server that goes down loses nothing."""

import pytest
from typing_extensions import override

from alray.api import correlate
from alray.errors import StoreError
from alray.reporting.api import report
from alray.studies.correlation.results import load_correlation
from tests.helpers.correlation_studies import (
    Listener,
    assert_same_study,
    correlation_settings,
)
from tests.helpers.object_store import BUCKET, running_server, server
from tests.helpers.studies import files

__all__ = ["running_server", "server"]


class Stopper(Listener):
    """Stops the server once so many tasks have been performed."""

    def __init__(self, server, after: int) -> None:
        super().__init__()
        self._server, self._after = server, after

    @override
    def performed(self, task, seconds, host):
        super().performed(task, seconds, host)
        if len(self.of("performed")) == self._after:
            self._server.stop()


def test_a_study_on_s3_is_equal_to_a_local_one_also_when_the_server_goes_down_in_between(
    server, pool, tmp_path
):
    local = correlate(correlation_settings(pool), results=tmp_path)
    uri = f"s3://{BUCKET}/correlation"
    first, second = Stopper(server, 4), Listener()
    try:
        with pytest.raises(StoreError, match=r"cannot be written.*stays valid.*same command"):
            correlate(correlation_settings(pool), results=uri, observer=first)
    finally:
        server.start()
    found = correlate(correlation_settings(pool), results=uri, observer=second)
    assert not {*first.of("performed")[:3]} & {*second.of("performed")}
    assert str(found.path) == f"{uri}/study"
    assert_same_study(local, found)
    assert_same_study(local, load_correlation(f"{uri}/study"))
    assert server.names("correlation/study") == files(local.path)
    report(f"{uri}/study", formats=("html",))
    assert b"Spearman" in server.read("correlation/study/report.html")
