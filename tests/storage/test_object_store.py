"""Files in an object store: whole or absent, many at a time, and errors that give the next step."""

import time
from concurrent.futures import ThreadPoolExecutor

import pyarrow.parquet as pq
import pytest

from alray.errors import SpecError, StoreError
from alray.remote.failures import error_text
from alray.settings.location import Location
from alray.storage.lease import LeaseTimes
from alray.storage.object_store import RemoteStorage
from alray.storage.retrying import with_retries
from alray.studies.correlation.store import CorrelationStore
from alray.studies.sweep.store import SweepStore
from tests.helpers.object_store import BUCKET, S3Server, down, running_server, server
from tests.helpers.rows import ROWS, read_back

__all__ = ["running_server", "server"]


def store_at(name: str, **changes: str) -> SweepStore:
    return SweepStore(Location("s3", f"{BUCKET}/{name}", **changes))


def test_written_files_are_read_back(server):
    with store_at("back") as store:
        assert not store.exists()
        assert not store.has_progress()
        assert store.read_manifest() == {}
        assert store.read_run("a") is None
        store.write_study({"label": "Straße"})
        store.write_manifest({"pool": "Straße"})
        store.write_run("a", ROWS, [])
        store.write_checkpoint("a", b"state")
        store.write_files({"figures/a.svg": b"<svg/>"})
    again = store_at("back")
    assert again.exists()
    assert again.read_study() == {"label": "Straße"}
    assert again.read_manifest() == {"pool": "Straße"}
    assert read_back(again, "a") == (ROWS, [])
    assert again.count_rounds("a") == 2
    assert again.holds(["rounds/", "checkpoints/", "runs.parquet"]) == ("rounds/", "checkpoints/")
    assert again.holds(["a.parquet", "a.svg"]) == ()
    assert again.checkpoints() == {"a"}
    assert again.read_checkpoint("a") == b"state"
    with again:
        again.remove_checkpoint("a")
        again.remove_checkpoint("b")
    assert again.checkpoints() == frozenset()


def test_a_checkpoint_that_is_known_not_to_be_there_costs_no_request(server):
    with store_at("known") as store:
        store.write_checkpoint("a", b"state")
        assert store.checkpoints() == {"a"}
        store.write_checkpoint("b", b"state")
        server.log.clear()
        store.remove_checkpoint("c")
        assert [path for _, path, _ in server.log if ".lock" not in path] == []
        store.remove_checkpoint("b")
        assert store.checkpoints() == {"a"}


def test_clearing_removes_the_study_and_nothing_else(server):
    server.system().open_output_stream(f"{BUCKET}/clear/notes.txt").close()
    with store_at("clear") as store:
        store.write_study({})
        store.write_run("a", ROWS, [])
        store.write_files({"figures/a.svg": b"<svg/>"})
        assert store.count_rounds("a") == 2
        store.clear()
        assert store.count_rounds("a") == 0
        assert server.names("clear") == {"notes.txt"}


def test_more_objects_than_one_listing_shows(server):
    names = [f"{number:04}" for number in range(1200)]
    server.fill([f"many/outcomes/{name}.parquet" for name in names])
    assert CorrelationStore(Location("s3", f"{BUCKET}/many")).done() == set(names)
    assert len([query for _, _, query in server.log if "list-type" in query]) == 2


def test_a_table_that_cannot_be_made_leaves_the_old_one(server, monkeypatch):
    def fail(table, file, **_):
        file.write(bytes(100))
        raise RuntimeError("half a file")

    with store_at("half") as store:
        store.write_runs(ROWS)
        monkeypatch.setattr(pq, "write_table", fail)
        with pytest.raises(RuntimeError, match="half"):
            store.write_runs(ROWS)
        assert store.read_runs()[["run_id", "round"]].to_dict("records") == ROWS


@pytest.mark.parametrize("failing", ["uploads", "partNumber=2", "uploadId"])
def test_a_large_upload_that_fails_half_way_leaves_the_old_object(server, failing):
    """Large content is sent in parts; whichever request fails, nothing of it is to be seen."""
    with store_at("parts") as store:
        store.write_checkpoint("a", b"old")
        completing = failing == "uploadId"
        server.refuses = lambda method, _, query: (
            failing in query and (method == "POST" or not completing)
        )
        with pytest.raises(StoreError, match=r"parts/checkpoints/a.safetensors cannot be written"):
            store.write_checkpoint("a", bytes(25_000_000))
        assert store.read_checkpoint("a") == b"old"


def test_a_request_that_fails_for_a_moment_is_made_again(server, monkeypatch):
    monkeypatch.setattr(RemoteStorage, "pauses", (0.05, 0.05, 0.05))
    failures = iter([True] * 3)
    server.refuses = lambda method, _, query: method == "PUT" and next(failures, False)
    with store_at("moment") as store:
        store.write_checkpoint("a", b"state")
        assert store.read_checkpoint("a") == b"state"


def test_a_wrong_bucket_is_named(server):
    wrong = SweepStore(Location("s3", "no-such-bucket/study"))
    with pytest.raises(
        StoreError, match="no-such-bucket/study cannot be written: there is no such"
    ):
        wrong.__enter__()
    with pytest.raises(StoreError, match="no-such-bucket/study cannot be read: there is no such"):
        wrong.exists()


def test_a_server_that_is_down_is_no_empty_folder_and_no_key_is_shown(server, monkeypatch):
    monkeypatch.setattr(RemoteStorage, "pauses", ())
    query = f"endpoint_override={server.address}&scheme=http&region=us-east-1"
    store = store_at("down", user="testing:hush%2Fhush", query=query)
    with down(server):
        for ask in (store.exists, store.has_progress, store.read_manifest, store.__enter__):
            with pytest.raises(StoreError, match=r"s3://bucket/down.* cannot be .*network") as got:
                ask()
            assert "hush/hush" not in str(got.value)
            assert got.value.__cause__ is None


def test_an_unknown_option_is_refused(server):
    with pytest.raises(SpecError, match=r"did you mean 'region'"):
        store_at("option", query="regoin=x").exists()


@pytest.mark.parametrize(
    ("text", "explanation"),
    [
        ("AWS Error ACCESS_DENIED during HeadObject operation", "access is denied"),
        ("AWS Error UNKNOWN (HTTP status 403) during HeadBucket operation", "access is denied"),
        ("AWS Error SIGNATURE_DOES_NOT_MATCH during PutObject", "the key is not valid"),
        ("NoCredentialsError Unable to locate credentials", "no credentials were found"),
        ("UNAVAILABLE: Could not create a OAuth2 access token", "no credentials were found"),
        ("AWS Error UNKNOWN: ExpiredToken", "have expired"),
    ],
)
def test_an_error_that_another_attempt_cannot_change_is_explained_at_once(text, explanation):
    attempts = []

    def act() -> None:
        attempts.append(1)
        raise OSError(text)

    with pytest.raises(StoreError, match=explanation):
        with_retries(act, Location("s3", "bucket"), "read", pauses=(60.0,))
    assert len(attempts) == 1


def test_an_errors_own_text_loses_the_keys():
    location = Location("s3", "bucket", user="KEYKEY:hush%2Fhush", query="endpoint_override=a:90")
    text = error_text(
        OSError("KEYKEY and hush/hush at\ns3://KEYKEY:hush%2Fhush@bucket?x=y"), location
    )
    assert text == "*** and *** at s3://bucket"


def test_a_lost_lease_stops_the_next_write_before_it_overwrites_anything(server, monkeypatch):
    monkeypatch.setattr(RemoteStorage, "times", LeaseTimes(1000.0, 1.5, 0.2))
    first, second = store_at("lost"), store_at("lost")
    with first:
        first.write_checkpoint("a", b"first")
        time.sleep(1.5)
        with second:
            second.write_checkpoint("a", b"second")
            with pytest.raises(StoreError, match="taken over by another alray"):
                first.write_checkpoint("a", b"first again")
            with pytest.raises(StoreError, match="taken over by another alray"):
                first.remove_checkpoint("a")
            assert second.read_checkpoint("a") == b"second"


def test_many_runs_are_counted_and_read_in_a_moment(server: S3Server):
    """Many at a time: one after the other, each of 400 requests would wait for the one before."""
    runs = [f"run-{number}" for number in range(100)]
    with store_at("counts") as store, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda run: store.write_run(run, ROWS, []), runs))
    with store_at("counts") as store:
        server.delay = 0.02
        server.log.clear()
        server.alone = 0
        assert [store.count_rounds(run) for run in runs] == [2] * 100
        assert len(store.read_rounds()) == 200
        requests = len([path for _, path, query in server.log if ".lock" not in path + query])
    assert requests < 2 * 2 * len(runs) + 20
    assert server.alone < requests / 4
