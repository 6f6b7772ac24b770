"""`alray pool` as typed."""

import re
import shlex
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from alray.pools.synthetic import SyntheticSpec
from tests.helpers.command import alray
from tests.helpers.imports import table_of
from tests.helpers.pools_fixtures import parquet, read, vectors, write_table
from tests.helpers.studies import write_pool


def out(*arguments: object) -> str:
    result = alray("pool", *arguments)
    assert result.exit_code == 0, result.output
    # Lines that name a file or a command are not broken.
    lines = [
        line for line in result.output.splitlines() if not re.search(r"^wrote|alray \w", line)
    ]
    assert all(len(line) <= 80 for line in lines)
    return result.output


def refusal(*arguments: object) -> str:
    result = alray("pool", *arguments)
    assert result.exit_code == 2, result.output
    return result.stderr


def words(text: str) -> str:
    """Return the text without line breaks and repeated spaces."""
    return " ".join(text.split())


def test_describe_shows_the_built_in_pool():
    text = out("describe")
    for part in (
        "5,726",
        "45, of 30 to 1,689 objects (largest 29.5 %)",
        "image image 128 float16 102 1.8 0",
        "text text 128 float16 2,630 45.9 0",
        "895 objects equal another one, in 409 sets, 269 of them with different labels",
        "... 25 more (--all shows them)",
        "public domain (see NOTICE.md",
    ):
        assert part in words(text)
    assert text.endswith("next: alray sweep --pool openclipart\n")


def shown(*arguments: object) -> str:
    """Return the description of a pool that is too small for a study."""
    result = alray("pool", "describe", *arguments)
    assert result.exit_code == 2, result.output
    assert "too small to be in the train, validation and test part" in result.stderr
    return result.stdout


def test_describe_draws_bars_in_proportion(tmp_path):
    """Brackets in names stand as they are."""
    source = parquet(tmp_path, label=["[red]", "[/b]", "[red]", "[/b]", "[red]", "[red]"])
    lines = shown(source).splitlines()
    bars = {line.split()[0]: line.count("█") for line in lines if "█" in line}
    assert bars == {"[red]": 28, "[/b]": 14}


def test_describe_all_shows_every_class():
    text = out("describe", "openclipart", "--all")
    assert "more (--all" not in text
    assert "tools" in text
    bars = [line for line in text.splitlines() if line and line.split()[-1][0] in "█▏▎▍▌▋▊▉"]
    assert len(bars) == 45


def test_describe_takes_columns_by_option(tmp_path):
    named = {"key": range(6), "topic": list("xyxyxz"), "words": list("ppqqrr")}
    source = parquet(tmp_path, **named, label=None, id=None)
    columns = ("--id", "key", "--label", "topic", "--group-by", "words")
    modalities = ("--modality", "picture=image", "--modality", "words=text")
    text = words(shown(source, *columns, *modalities, "--min-class-size", 2))
    assert "picture image 2 float32 1 20.0 0" in text
    assert "3 by words: 4 objects share theirs, the largest holds 2" in text
    assert "fewer than 2 objects" in text


def test_describe_shows_a_broken_pool_and_then_fails(tmp_path):
    source = parquet(tmp_path, image=vectors([[float("nan"), 1.0]] * 6))
    result = alray("pool", "describe", source)
    assert result.exit_code == 2
    assert "image image 2 float32 0 0.0 6" in words(result.stdout)
    assert "'image' has NaN" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["openclipart", "--modality", "image"], "--modality image: write NAME=VALUE"),
        (["openclipart", "--modality", "a=image", "--modality", "a=text"], "'a' is given twice"),
        (["openclipart", "--label", "lable"], "did you mean 'label'?"),
        (["icon"], "did you mean 'icons'?"),
    ],
)
def test_describe_refuses(arguments, message):
    assert message in refusal("describe", *arguments)


def array(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).standard_normal((30, 9))
    values[:, 0] = np.arange(30) % 3
    values[4, 1:5] = 0
    np.save(tmp_path / "posts.npy", values)
    return tmp_path / "posts.npy"


COLUMNS = ("--columns", "text=1:5", "--columns", "image=5:9")


def test_import_writes_and_says_what_to_type_next(tmp_path):
    target = tmp_path / "o.parquet"
    text = out("import", array(tmp_path), target, *COLUMNS, "--dtype", "float16")
    assert text.splitlines() == [
        f"wrote {target}: 30 objects, 3 classes",
        "  text: absent from 1 (3.3 %)",
        "  image: absent from 0 (0.0 %)",
        f"next: alray pool describe {target}",
        f"      alray sweep --pool {target}",
    ]
    assert [part.features.dtype for part in read(str(target)).modalities] == [np.float16] * 2


def test_commands_to_type_next_are_quoted(tmp_path):
    target = tmp_path / "my pool.parquet"
    text = out("import", array(tmp_path), target, *COLUMNS)
    assert f"next: alray pool describe '{target}'" in text
    assert f"next: alray sweep --pool '{target}'" in out("describe", target)


def test_import_takes_names(tmp_path):
    """The array that would be taken as labels by default stays unused."""
    topic, key, ones = np.arange(4) % 2, np.arange(4) + 5, np.ones((4, 3))
    np.savez(tmp_path / "a.npz", topic=topic, key=key, emb=ones, label=ones[:, 0])
    target = tmp_path / "o.parquet"
    names = ("--label", "topic", "--id", "key", "--modality", "image=emb")
    out("import", tmp_path / "a.npz", target, *names)
    pool = read(str(target))
    assert pool.ids.tolist() == ["5", "6", "7", "8"]
    assert pool.classes == ("0", "1")
    assert [part.name for part in pool.modalities] == ["image"]


def test_import_takes_patterns_of_columns_and_keeps_the_others(tmp_path):
    rows = "".join(f"{row % 2},{row},u{row},7\n" for row in range(1, 5))
    (tmp_path / "a.csv").write_text(f"topic,img/2,url,img/10\n{rows}")
    target = tmp_path / "o.parquet"
    text = out("import", tmp_path / "a.csv", target, "--label", "topic")
    assert "'img/' is modality 'img': a name has letters, digits, _ and -" in text
    options = ("--label", "topic", "--modality", "image=img/*", "--overwrite")
    out("import", tmp_path / "a.csv", target, *options)
    table = pq.read_table(target).to_pydict()
    assert table["image"] == [[row, 7] for row in range(1, 5)]
    assert table["url"] == ["u1", "u2", "u3", "u4"]


def test_import_keeps_the_parts_when_asked(tmp_path):
    one, two = np.ones((1, 2)), np.ones((2, 2))
    np.savez(tmp_path / "a.npz", X_train=two, X_test=one, y_train=[0, 1], y_test=[1])
    target = tmp_path / "o.parquet"
    text = out("import", tmp_path / "a.npz", target)
    assert "joined train (2), test (1); --split-column keeps which is which" in text
    assert pq.read_schema(target).names == ["id", "label", "X"]
    out("import", tmp_path / "a.npz", target, "--split-column", "part", "--overwrite")
    assert pq.read_table(target)["part"].to_pylist() == ["train", "train", "test"]
    message = refusal("import", tmp_path / "a.npz", tmp_path / "p.parquet", "--split-column", "X")
    assert "'X' is the name of two columns" in message


def test_import_of_a_folder_names_a_file_that_can_be_imported(tmp_path):
    (tmp_path / "a.csv").write_text("label,m_1,m_2\na,1,2\n")
    assert f"or import one of its files: `alray pool import {tmp_path}/a.csv" in refusal(
        "import", tmp_path, tmp_path / "o.parquet"
    )


def test_import_drops_empty_objects_when_asked(tmp_path):
    source = array(tmp_path)
    values = np.load(source)
    values[4, 1:] = 0
    np.save(source, values)
    assert "--drop-empty" in refusal("import", source, tmp_path / "o.parquet", *COLUMNS)
    text = out("import", source, tmp_path / "o.parquet", *COLUMNS, "--drop-empty")
    assert "left out 1 objects without any modality" in text


def test_import_replaces_only_when_asked(tmp_path):
    arguments = ("import", array(tmp_path), tmp_path / "o.parquet", *COLUMNS)
    out(*arguments)
    assert "o.parquet: exists already" in refusal(*arguments)
    out(*arguments, "--overwrite")


@pytest.mark.parametrize("text", ["text=1", "text=a:b", "text=:5", "text=-1:5"])
def test_import_refuses_ranges_that_are_none(tmp_path, text):
    assert f"--columns {text}: write NAME=FIRST:END" in refusal(
        "import", array(tmp_path), "o.parquet", "--columns", text
    )


SMALL = (
    "--objects", 300, "--classes", 4, "--families", 2, "--image-features", 6, "--text-features", 3,
)  # fmt: skip


def test_synthetic_options_are_the_settings(tmp_path):
    target = tmp_path / "t.parquet"
    options = ("--image-absent", 0, "--dtype", "float16", "--seed", 3)
    text = out("make", "synthetic", target, *SMALL, *options)
    assert "300 objects, 4 classes" in text
    assert f"next: alray pool describe {target}" in text
    found = read(str(target))
    assert {part.name: part.dimension for part in found.modalities} == {"image": 6, "text": 3}
    assert found.modalities[0].present.all()
    assert found.modalities[0].features.dtype == np.float16
    assert "exists already" in refusal("make", "synthetic", target, *SMALL)


def test_the_former_name_of_the_command_makes_the_same_file(tmp_path):
    for name in ("synthetic", "twin"):
        out("make", name, tmp_path / name, *SMALL)
    assert (tmp_path / "synthetic").read_bytes() == (tmp_path / "twin").read_bytes()
    assert "twin" not in out("make", "--help")


def test_synthetic_help_explains_every_setting():
    text = out("make", "synthetic", "--help")
    for name, field in SyntheticSpec.model_fields.items():
        assert f"--{name.replace('_', '-')}" in text
        assert str(field.description)[:12].lower() in words(text).lower()
    assert "[float32|float16]" in text


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [("--objects", 20, "at least 3 per class"), ("--modes", 0, "modes"), ("--noise", -1, "noise")],
)
def test_synthetic_refuses(tmp_path, option, value, message):
    assert message in refusal("make", "synthetic", tmp_path / "t.parquet", option, value)
    assert not (tmp_path / "t.parquet").exists()


@pytest.mark.parametrize("command", ["describe", "import", "make"])
def test_help_fits_80_columns(command):
    assert "--help" in out(command, "--help")


def test_the_command_that_describe_prints_works_also_for_a_small_pool(tmp_path):
    """With the columns that were named, and with fewer labels than usual."""
    options, names = ("--label", "my label"), {"label": "my label"}
    table = table_of(write_pool(tmp_path / "my pool.parquet", objects=40))
    source = tmp_path / "a pool.parquet"
    write_table(
        table.rename_columns([names.get(name, name) for name in table.column_names]), source
    )
    done = alray("pool", "describe", source, *options)
    assert done.exit_code == 0, done.output
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("next: ")]
    words = shlex.split(line.removeprefix("next: "))
    assert words[:2] == ["alray", "sweep"]
    assert words[-6:] == ["--initial", "3", "--query", "1", "--rounds", "11"]
    quick = ("--strategies", "random", "--seeds", 1, "--executor", "inline", "--no-report")
    done = alray(*words[1:], *quick, "--results", tmp_path)
    assert done.exit_code == 0, done.output


def test_what_data_would_make_a_terminal_do_is_shown_instead(tmp_path):
    """In names of classes and columns, and in the ids of an error."""
    red, turned = "\x1b[31mred\n", "\u202etxt"
    labels = [red, turned] * 3
    source = parquet(tmp_path, label=labels, image=None, **{"f\x07": vectors([[1.0, 2.0]] * 6)})
    done = alray("pool", "describe", source, "--modality", "image=f\x07")
    assert "\\x1b[31mred\\n  " in done.stdout
    assert "\\u202etxt " in done.stdout
    assert "f\\x07 " in done.stdout
    broken = parquet(
        tmp_path, id=["\x1b[2J\x9b", *"bcdef"], image=vectors([None] * 6), text=vectors([None] * 6)
    )
    done = alray("pool", "describe", broken)
    assert done.exit_code == 2
    for text in (done.stdout, done.stderr):
        assert not set("\x1b\x9b\x07\u202e") & set(text)
    assert "\\x1b[2J\\x9b" in done.stderr
