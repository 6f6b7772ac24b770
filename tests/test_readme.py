"""What the README tells users to type and write is valid."""

import re
from dataclasses import fields
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from alray.analysis.stopping_rules.registry import RULES, parse_rule, rule_text
from alray.cli import main
from alray.settings.base import validate
from alray.settings.sweep import SweepSpec
from alray.strategies import STRATEGIES, parse

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
MAP = (ROOT / "alray" / "README.md").read_text()
PAGES = [ROOT / "README.md"]
PAGES += [ROOT / name / "README.md" for name in ("alray", "cluster", "results", "scripts")]
ALL = "\n".join(page.read_text() for page in PAGES)


def test_the_settings_file_is_valid():
    """Every key exists, every value fits, every strategy can be built."""
    (block,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    study = validate(SweepSpec, yaml.safe_load(block), "README.md")
    assert study.training.lr == 3e-4
    assert [parse(text).oracle for text in study.strategies] == [False] * 5


def test_every_strategy_is_in_the_table():
    """And the table names no other."""
    table = MAP.partition("| strategy |")[2].partition("\n\n")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    assert sorted(re.findall(r"`(\w+)`", " ".join(first_cells))) == sorted(STRATEGIES)


def test_the_short_table_says_what_the_studies_have_shown():
    """Of each strategy: in how many an interval lies above zero, by accuracy."""
    summary = pd.read_csv(ROOT / "results/reference/strategies/summary.csv")
    above = summary[(summary["metric"] == "accuracy") & (summary["alc_difference_low"] > 0)]
    shown = above["arm"].value_counts()
    table = README.partition("| idea | strategies |")[2].partition("\n\n")[0]
    rows = [line.split("|")[2:4] for line in table.splitlines()[2:]]
    found = {
        name: int(count)
        for names, counts in rows
        for name, count in zip(
            re.findall(r"`(\w+)`", names), re.findall(r"\d", counts), strict=True
        )
    }
    assert len(found) == 21
    assert found == {name: shown.get(name, 0) for name in found}


def test_every_stopping_rule_is_in_its_table_with_its_options():
    """And the table names no other."""
    table = MAP.partition("| rule | stops where |")[2].partition("\n\n")[0]
    cells = [line.split("|") for line in table.splitlines()[2:]]
    found = {
        name.strip(" `"): re.findall(r"`(\w+)=([^`]+)`", last) for _, name, _, last, _ in cells
    }
    assert found.keys() == RULES.keys()
    for name, options in found.items():
        text = ":".join([name, *(f"{key}={value}" for key, value in options)])
        assert rule_text(parse_rule(text)) == name, "the defaults"
        assert {key for key, _ in options} == {each.name for each in fields(RULES[name])}


def test_every_option_named_exists():
    """In some command's help."""
    commands = (
        "sweep",
        "correlate",
        "report",
        "stop",
        "pool describe",
        "pool import",
        "pool make synthetic",
        "pool suspects",
        *(
            f"label {word}"
            for word in ("start", "next", "add", "sync", "serve", "status", "export")
        ),
    )
    helps = [CliRunner().invoke(main, [*words.split(), "--help"]).output for words in commands]
    options = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
    assert set(options.findall(ALL)) <= set(options.findall("\n".join(helps)))


def test_every_package_is_in_the_map():
    """And the map names no other; each layer that it draws is one of the contract."""
    table = MAP.partition("| package |")[2].partition("\n\n")[0]
    named = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    packages = [path.parent.name for path in (ROOT / "alray").glob("*/__init__.py")]
    assert named == sorted(packages)
    drawn = re.findall(r"```\n(__main__.*?)```", MAP, re.DOTALL)[0]
    layers = re.findall(
        r"^layers = \[\n(.*?)\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE
    )[0]
    assert [re.split(r" {2,}", line)[0] for line in drawn.splitlines()] == re.findall(
        r'"(.*)"', layers
    )


def test_what_the_map_points_to_exists():
    table = MAP.partition("| ... | copy |")[2].partition("\n\n")[0]
    files = re.findall(r"`([\w/]+\.py|tests/[\w/]+)`", table)
    assert len(files) > 10
    for file in files:
        assert (ROOT / file).exists() or (ROOT / "alray" / file).exists(), file


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    """A file or folder that is there, and where a heading is named, one that it has."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        file, _, heading = target.partition("#")
        path = page.parent / file if file else page
        assert path.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.*)", path.read_text(), re.MULTILINE)
            anchors = [re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings]
            assert heading in anchors, target


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 220


def test_verdicts_on_the_published_study_are_those_of_its_page():
    claims = pd.read_csv(ROOT / "results" / "reference" / "study" / "claims.csv")
    head, _, table = README.partition("| figure | claim | icons | twin | MNIST |")
    rows = [line.split("|")[1:6] for line in table.partition("\n\n")[0].splitlines()[2:]]
    assert rows
    for figure, claim, *verdicts in ([cell.strip() for cell in row] for row in rows):
        judged = claims[(claims["figure"] == f"Fig. {figure}") & (claims["claim"] == claim)]
        found = judged.set_index("data")["verdict"]
        assert verdicts == [found.get(data, "") for data in ("icons", "twin", "mnist")], claim
    counts = claims["verdict"].value_counts()
    assert (
        f"of {len(claims)} judgements {counts['agrees']} agree, {counts['disagrees']} disagree "
        f"and {counts['cannot tell']} cannot tell"
    ) in " ".join(head.split())
