"""A sweep whose pool lies in a file: its records are those of a pool in memory, and one may go on as the other."""

import pytest

from alray import api
from alray.errors import SpecError
from alray.pools.feature_storage import mapped_folder
from alray.reporting import sources
from tests.helpers.command import ONE_RUN, SMALL, alray
from tests.helpers.correlation_studies import correlation_settings
from tests.helpers.studies import assert_same_records, settings


def mapped(pool, **changes):
    return settings(pool, **changes) | {"pool": {"source": str(pool), "storage": "mapped"}}


@pytest.fixture(scope="module")
def study(pool, tmp_path_factory):
    """Return a finished sweep of one seed whose pool was mapped."""
    return api.sweep(mapped(pool), results=tmp_path_factory.mktemp("mapped"))


def test_records_are_the_same_and_a_study_goes_on_with_the_other_storage(pool, undisturbed, study):
    assert_same_records(undisturbed, study)
    results = study.path.parent
    added = api.sweep(settings(pool, seeds=[0, 5]), results=results)
    assert set(added.runs["run_id"]) > set(study.runs["run_id"])
    assert set(added.runs["status"]) == {"finished"}
    assert_same_records(added, api.sweep(mapped(pool, seeds=[0, 5]), results=results))


def test_a_page_needs_no_second_reading_of_a_mapped_pool(undisturbed, study, monkeypatch):
    expected = sources.read_sweep(sources.find_results(undisturbed), None).train_classes
    monkeypatch.setattr(sources, "read_pool", None)
    assert sources.read_sweep(sources.find_results(study), None).train_classes == expected


def test_a_disk_without_room_ends_with_exit_code_2(pool, tmp_path, monkeypatch):
    missing = tmp_path / "missing"
    monkeypatch.setenv(mapped_folder.VARIABLE, str(missing))
    words = (*ONE_RUN, *SMALL, "--results", tmp_path / "results")
    ended = alray("sweep", pool, "--set", "pool.storage=mapped", *words)
    assert ended.exit_code == 2
    assert f"{missing}: cannot hold the pool's features" in " ".join(ended.output.split())
    assert not (tmp_path / "results").exists()


def test_the_plan_names_memory_and_disk(pool):
    plan = api.plan_sweep(mapped(pool))
    assert plan.shared.nbytes < api.plan_sweep(settings(pool)).shared.nbytes
    words = alray("sweep", pool, *ONE_RUN, *SMALL, "--set", "pool.storage=mapped", "--dry-run")
    assert "features in a mapped file: 0.0 MB on the disk of each node" in words.output


def test_a_description_names_the_sweep_that_maps(pool):
    ended = alray("pool", "describe", pool, "--storage", "mapped")
    assert "--set pool.storage=mapped" in ended.output


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (
            lambda pool: api.plan_correlation(
                correlation_settings(pool) | {"pool": {"source": str(pool), "storage": "mapped"}}
            ),
            "a correlation study keeps its pool in memory; leave it out",
        ),
        (
            lambda pool: api.plan_sweep(settings(pool, vary={"pool.storage": ["mapped"]})),
            "pool.storage is the same for all arms of a study: it changes no record",
        ),
    ],
)
def test_where_the_storage_has_no_meaning_it_is_refused(pool, plan, message):
    with pytest.raises(SpecError, match=message):
        plan(pool)
