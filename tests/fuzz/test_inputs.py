"""A thousand pools and imports made at random: exit code 0 or 2, never a traceback, never another label."""

import os
import shlex
from pathlib import Path

import numpy as np
import pytest

from alray.pools.reading import read_content
from alray.settings.base import assign, validate
from alray.settings.common import PoolSpec
from tests.helpers.command import alray
from tests.helpers.generated_commands import damaged
from tests.helpers.generated_imports import generated_import
from tests.helpers.generated_pools import Generated, generated_pool

FIRST = int(os.environ.get("ALRAY_FUZZ_SEED", "0"))
"""Another one makes other inputs."""

POOLS, IMPORTS, COMMANDS = 600, 400, 200


def check(result, accepted: list[bool]) -> bool:
    assert result.exit_code in {0, 2}, result.output
    assert "Traceback" not in result.output
    if result.exit_code == 2:
        assert result.stderr.strip(), "an error without a word"
    accepted.append(result.exit_code == 0)
    return accepted[-1]


def labels_read(spec: PoolSpec) -> list[str]:
    metadata = read_content(spec).metadata
    return [metadata.classes[code] for code in metadata.labels]


def settings(made: Generated) -> PoolSpec:
    values: dict[str, object] = {"source": str(made.path)}
    for option, value in zip(made.options[::2], made.options[1::2], strict=True):
        if option == "--modality":
            name, _, column = value.partition("=")
            assign(values, "modalities", {name: column})
        else:
            assign(values, option.removeprefix("--"), value)
    return validate(PoolSpec, values, "the command line")


def labels_meant(made: Generated) -> list[str]:
    return [text for text in made.labels if text is not None]


@pytest.mark.slow
def test_pools_are_read_as_they_are_meant_or_refused(tmp_path, monkeypatch):
    accepted: list[bool] = []
    for number in range(FIRST, FIRST + POOLS):
        folder = tmp_path / str(number)
        made = generated_pool(np.random.default_rng(number), folder)
        monkeypatch.chdir(folder)
        source = Path(made.path.name)
        name = f"./{source}" if str(source).startswith("-") else str(source)
        described = alray("pool", "describe", *made.options, "--", name)
        if check(described, accepted):
            assert labels_read(settings(made)) == labels_meant(made), number
            command = shlex.split(described.output.rpartition("next: alray ")[2])
            plan = alray(*command, "--dry-run")
            assert plan.exit_code == 0, f"{number}: {command}: {plan.output}"
    assert 0.3 < np.mean(accepted) < 0.9


@pytest.mark.slow
def test_imports_keep_every_label_or_are_refused(tmp_path, monkeypatch):
    accepted: list[bool] = []
    for number in range(FIRST, FIRST + IMPORTS):
        folder = tmp_path / str(number)
        made = generated_import(np.random.default_rng(10**6 + number), folder)
        out = tmp_path / f"{number}.parquet"
        if check(alray("pool", "import", *made.options, "--", made.path, out), accepted):
            described = alray("pool", "describe", out)
            assert described.exit_code in {0, 2}
            if "?" not in made.labels:
                assert labels_read(PoolSpec(source=str(out))) == labels_meant(made), number
        else:
            assert not out.exists()
    assert 0.3 < np.mean(accepted) < 0.9


@pytest.mark.slow
def test_damaged_command_lines_are_refused_in_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = alray(
        "pool",
        "make",
        "synthetic",
        "pool.parquet",
        "--objects",
        "300",
        "--classes",
        "3",
        "--families",
        "2",
    )
    assert made.exit_code == 0
    accepted: list[bool] = []
    for number in range(FIRST, FIRST + COMMANDS):
        words = damaged(np.random.default_rng(2 * 10**6 + number))
        places = {"POOL": "pool.parquet", "OUT": f"out-{number}.parquet", "STUDY": "results/pool"}
        words = [places.get(word, word) for word in words]
        if words[0] in {"sweep", "correlate"}:
            words.append("--dry-run")
        check(alray(*words), accepted)
    assert np.mean(accepted) < 0.5
