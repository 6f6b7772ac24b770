"""What the README tells users to type and write is valid."""

import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from alray.cli import main
from alray.settings.base import validate
from alray.settings.sweep import SweepSpec
from alray.strategies import STRATEGIES, parse

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_settings_file_is_valid():
    """Every key exists, every value fits, every strategy can be built."""
    (block,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    study = validate(SweepSpec, yaml.safe_load(block), "README.md")
    assert study.training.lr == 3e-4
    assert [parse(text).oracle for text in study.strategies] == [False] * 5


def test_every_strategy_is_in_the_table():
    """And the table names no other."""
    table = README.partition("| strategy |")[2].partition("\n\n")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    assert sorted(re.findall(r"`(\w+)`", " ".join(first_cells))) == sorted(STRATEGIES)


@pytest.mark.parametrize("option", sorted(set(re.findall(r"--[a-z][a-z-]+", README))))
def test_every_option_named_exists(option):
    """In some command's help."""
    commands = [
        ["sweep"],
        ["correlate"],
        ["report"],
        ["pool", "describe"],
        ["pool", "import"],
        ["pool", "make", "synthetic"],
    ]
    helps = [CliRunner().invoke(main, [*words, "--help"]).output for words in commands]
    assert any(re.search(rf"{option}\b", text) for text in helps)
