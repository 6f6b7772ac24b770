"""Settings read from a file."""

import pytest

from alray.cli.options import read_settings
from alray.settings.common import PoolSpec
from alray.settings.sweep import SweepSpec
from alray.studies.arguments import study_settings


@pytest.mark.parametrize("text", ["pool: posts.parquet", "pool: {source: posts.parquet}"])
def test_a_file_may_name_the_pool_alone(text, tmp_path):
    """Options and keywords add to it as to a section."""
    file = tmp_path / "study.yaml"
    file.write_text(f"{text}\n")
    typed = read_settings(SweepSpec, str(file), {"pool.label": "topic"}, ())
    called = study_settings(SweepSpec, file, {"pool": {"label": "topic"}})
    assert typed.pool == called.pool == PoolSpec(source="posts.parquet", label="topic")
