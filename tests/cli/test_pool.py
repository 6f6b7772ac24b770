import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from alray.cli.pool import pool
from alray.errors import AlrayError
from tests.helpers.pools_fixtures import parquet, read, vectors


def invoke(*arguments: object) -> Result:
    """Run `alray pool ...` at 80 columns and let bugs through."""
    texts = [str(argument) for argument in arguments]
    result = CliRunner(env={"COLUMNS": "80"}).invoke(pool, texts)
    if result.exception is not None and not isinstance(result.exception, (AlrayError, SystemExit)):
        raise result.exception
    return result


def out(*arguments: object) -> str:
    result = invoke(*arguments)
    assert result.exit_code == 0, result.exception
    lines = [line for line in result.output.splitlines() if not line.startswith("next: ")]
    assert all(len(line) <= 80 for line in lines)
    return result.output


def refusal(*arguments: object) -> str:
    result = invoke(*arguments)
    assert isinstance(result.exception, AlrayError), result.output
    assert result.exception.exit_code == 2
    return str(result.exception)


def words(text: str) -> str:
    """Return the text without line breaks and repeated spaces."""
    return " ".join(text.split())


def test_describe_shows_the_built_in_pool():
    text = out("describe", "openclipart")
    assert "5,726" in text
    assert "45, of 30 to 1,689 objects (largest 29.5 %)" in words(text)
    assert "image image 128 float16 102 1.8 0" in words(text)
    assert "text text 128 float16 2,630 45.9 0" in words(text)
    assert (
        "895 objects equal another one, in 409 sets, 269 of them with different labels"
        in words(text)
    )
    assert "... 25 more (--all shows them)" in text
    assert "public domain (see NOTICE.md" in text
    assert text.endswith("next: alray sweep --pool openclipart\n")


def test_describe_is_of_the_default_pool_without_argument():
    assert out("describe") == out("describe", "openclipart")


def test_describe_draws_bars_in_proportion():
    lines = out("describe", "icons").splitlines()
    bars = {line.split()[0]: line.count("█") for line in lines if "█" in line}
    assert bars["interface"] == 28
    assert bars["travel-maps"] == 28 * 2839 // 5939


def test_describe_all_shows_every_class():
    text = out("describe", "--all")
    assert "more (--all" not in text
    assert "tools" in text
    assert (
        sum(
            " " in line and line.split()[-1][0] in "█▏▎▍▌▋▊▉" for line in text.splitlines() if line
        )
        == 45
    )


def test_describe_takes_columns_by_option(tmp_path):
    table = {
        "key": list(range(6)),
        "topic": list("xyxyxy"),
        "words": list("ppqqrr"),
        "label": None,
        "id": None,
    }
    source = parquet(tmp_path, **table)
    options = [
        "--id",
        "key",
        "--label",
        "topic",
        "--modality",
        "picture=image",
        "--modality",
        "words=text",
    ]
    text = out("describe", source, *options, "--group-by", "words")
    assert "picture image 2 float32 1 16.7 0" in words(text)
    assert "3 by words: 6 objects share theirs, the largest holds 2" in words(text)


def test_describe_reports_dropped_classes(tmp_path):
    source = parquet(tmp_path, label=["cat", "dog", "cat", "dog", "emu", "dog"])
    assert "fewer than 2 objects" in words(out("describe", source, "--min-class-size", 2))


def test_describe_prints_brackets_in_names_as_they_are(tmp_path):
    source = parquet(tmp_path, label=["[red]", "[/b]", "[red]", "[/b]", "[red]", "[/b]"])
    assert "[red]" in out("describe", source)


def test_describe_shows_a_broken_pool_and_then_fails(tmp_path):
    source = parquet(tmp_path, image=vectors([[float("nan"), 1.0]] * 6))
    result = invoke("describe", source)
    assert "image image 2 float32 0 0.0 6" in words(result.output)
    assert isinstance(result.exception, AlrayError)
    assert "'image' has NaN" in str(result.exception)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--modality", "image"], "--modality image: write NAME=VALUE"),
        (["--modality", "a=image", "--modality", "a=text"], "'a' is given twice"),
        (["--label", "lable"], "did you mean 'label'?"),
    ],
)
def test_describe_refuses(options, message):
    assert message in refusal("describe", "openclipart", *options)


def test_describe_refuses_an_unknown_name():
    assert "did you mean 'icons'?" in refusal("describe", "icon")


def array(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).standard_normal((30, 9))
    values[:, 0] = np.arange(30) % 3
    values[4, 1:5] = 0
    np.save(tmp_path / "posts.npy", values)
    return tmp_path / "posts.npy"


COLUMNS = ("--columns", "text=1:5", "--columns", "image=5:9")


def test_import_writes_and_says_what_to_type_next(tmp_path):
    target = tmp_path / "o.parquet"
    lines = invoke(
        "import", array(tmp_path), target, *COLUMNS, "--dtype", "float16"
    ).output.splitlines()
    assert lines == [
        f"wrote {target}: 30 objects, 3 classes",
        "  text: absent from 1 (3.3 %)",
        "  image: absent from 0 (0.0 %)",
        f"next: alray pool describe {target}",
        f"      alray sweep --pool {target}",
    ]
    assert [part.features.dtype for part in read(str(target)).modalities] == [np.float16] * 2


def test_commands_to_type_next_are_quoted(tmp_path):
    target = tmp_path / "my pool.parquet"
    assert (
        f"next: alray pool describe '{target}'"
        in invoke("import", array(tmp_path), target, *COLUMNS).output
    )
    assert f"next: alray sweep --pool '{target}'" in out("describe", target)


def test_import_takes_names(tmp_path):
    data: dict[str, Any] = {
        "topic": np.arange(4) % 2,
        "emb": np.ones((4, 3)),
        "key": np.arange(4) + 5,
    }
    np.savez(tmp_path / "a.npz", **data)
    target = tmp_path / "o.parquet"
    names = ("--label", "topic", "--id", "key", "--modality", "image=emb")
    assert invoke("import", tmp_path / "a.npz", target, *names).exit_code == 0
    assert read(str(target)).ids.tolist() == ["5", "6", "7", "8"]


def test_import_drops_empty_objects_when_asked(tmp_path):
    source = array(tmp_path)
    values = np.load(source)
    values[4, 1:] = 0
    np.save(source, values)
    assert "--drop-empty" in refusal("import", source, tmp_path / "o.parquet", *COLUMNS)
    text = invoke("import", source, tmp_path / "o.parquet", *COLUMNS, "--drop-empty").output
    assert "left out 1 objects without any modality" in text


def test_import_replaces_only_when_asked(tmp_path):
    arguments = ("import", array(tmp_path), tmp_path / "o.parquet", *COLUMNS)
    assert invoke(*arguments).exit_code == 0
    assert "o.parquet: exists already" in refusal(*arguments)
    assert invoke(*arguments, "--overwrite").exit_code == 0


@pytest.mark.parametrize("text", ["text=1", "text=a:b", "text=:5", "text=-1:5"])
def test_import_refuses_ranges_that_are_none(tmp_path, text):
    assert f"--columns {text}: write NAME=FIRST:END" in refusal(
        "import", array(tmp_path), "o.parquet", "--columns", text
    )


SMALL = (
    "--objects",
    300,
    "--classes",
    4,
    "--families",
    2,
    "--image-features",
    6,
    "--text-features",
    3,
)


def test_synthetic_options_are_the_settings(tmp_path):
    target = tmp_path / "t.parquet"
    options = ("--image-absent", 0, "--dtype", "float16", "--seed", 3)
    text = invoke("make", "synthetic", target, *SMALL, *options).output
    assert "300 objects, 4 classes" in text
    assert f"next: alray pool describe {target}" in text
    found = read(str(target))
    assert {part.name: part.dimension for part in found.modalities} == {"image": 6, "text": 3}
    assert found.modalities[0].present.all()
    assert found.modalities[0].features.dtype == np.float16


def test_the_former_name_of_the_command_makes_the_same_file(tmp_path):
    for name in ("synthetic", "twin"):
        assert invoke("make", name, tmp_path / name, *SMALL).exit_code == 0
    assert (tmp_path / "synthetic").read_bytes() == (tmp_path / "twin").read_bytes()
    assert "twin" not in out("make", "--help")


def test_synthetic_help_explains_every_setting():
    from alray.pools.synthetic import SyntheticSpec  # noqa: PLC0415

    text = out("make", "synthetic", "--help")
    for name, field in SyntheticSpec.model_fields.items():
        assert f"--{name.replace('_', '-')}" in text
        assert str(field.description)[:12].lower() in words(text).lower()
    assert "[float32|float16]" in text


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--objects", 20, "at least 3 per class"),
        ("--modes", 0, "modes"),
        ("--noise", -1, "noise"),
    ],
)
def test_synthetic_refuses(tmp_path, option, value, message):
    assert message in refusal("make", "synthetic", tmp_path / "t.parquet", option, value)
    assert not (tmp_path / "t.parquet").exists()


def test_synthetic_replaces_only_when_asked(tmp_path):
    (tmp_path / "t.parquet").write_text("mine")
    assert "exists already" in refusal(
        "make", "synthetic", tmp_path / "t.parquet", "--objects", 200
    )


@pytest.mark.parametrize("command", [["describe"], ["import"], ["make"], ["make", "synthetic"]])
def test_help_fits_80_columns(command):
    assert "--help" in out(*command, "--help")


def test_heavy_libraries_wait_for_their_command():
    heavy = "numpy pyarrow pandas rich pydantic torch ray"
    code = f"import sys, alray.cli.pool; print([m for m in '{heavy}'.split() if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
