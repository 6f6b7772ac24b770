import logging

import pytest
import ray

from tests.helpers import plugins

STORE_BYTES = 200 * 2**20


@pytest.fixture(scope="session", autouse=True)
def _ray_environment():
    """Set Ray's environment variables for every cluster that a test starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        # Ray's default of the future; without it `ray.init` warns.
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        yield


@pytest.fixture(scope="session")
def cluster():
    """Start the one Ray of all tests, on two CPUs, and return its address."""
    ray.init(
        address="local",
        num_cpus=2,
        object_store_memory=STORE_BYTES,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    yield ray.get_runtime_context().gcs_address
    ray.shutdown()


@pytest.fixture(scope="module")
def no_pauses_here():
    """Let strategies pause in other processes alone: what runs in this one is neither killed nor interrupted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugins, "sleep", lambda _: None)
        yield
