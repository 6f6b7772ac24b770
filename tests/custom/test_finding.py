"""The source of the user's code: which files count, and that a changed one is noticed and imported again."""

import linecache
import sys

import pytest

from alray.custom.code import CustomCode, CustomName
from alray.custom.finding import find_code, prepare_worker, require_same_code
from alray.custom.loading import load
from alray.errors import SpecError

NAME = CustomName("package.mine:Mine", "strategy")
FILES = {
    "package/__init__.py": "",
    "package/mine.py": "import os, numpy\nfrom . import near\nfrom .deep.below import B\nclass Mine: pass\n",
    "package/near.py": "def later():\n    import beside\n",
    "package/deep/__init__.py": "",
    "package/deep/below.py": "from package.deep import *\nB = 1\n",
    "package/unused.py": "",
    "beside.py": "import torch\n",
    "unused.py": "",
    "torch.py": "raise RuntimeError('the library was hidden')\n",
}


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def test_a_name_stands_for_its_module_and_those_of_its_folder_that_it_needs(folder):
    write(folder, FILES)
    code = find_code([NAME])
    not_needed = {"package/unused.py", "unused.py", "torch.py"}
    assert code.all_files.keys() == FILES.keys() - not_needed
    assert code.folders == (str(folder),)
    assert code.digest("margin") is code.digest(None) is None


@pytest.mark.parametrize("changed", ["package/mine.py", "package/deep/below.py", "beside.py"])
def test_a_changed_file_is_other_code_and_is_imported_again(folder, changed):
    write(folder, FILES)
    before, old = find_code([NAME]), load(NAME.name, "strategy")
    assert find_code([NAME]) == before
    assert load(NAME.name, "strategy") is old
    write(folder, {changed: f"{FILES[changed]}\nC = 2\n", "unused.py": "D = 3\n"})
    after = find_code([NAME])
    assert before.digest(NAME.name) != after.digest(NAME.name)
    assert [file for file, each in after.all_files.items() if before.all_files[file] != each] == [
        changed
    ]
    assert load(NAME.name, "strategy") is not old


def test_what_was_imported_before_its_file_changed_is_imported_again(folder, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    write(folder, {"early.py": "class Mine: old = True\n"})
    old = load("early:Mine", "strategy")
    write(folder, {"early.py": "class Mine: old = False\n"})
    find_code([CustomName("early:Mine", "strategy")])
    assert old.old
    assert not load("early:Mine", "strategy").old


def test_a_module_without_a_file_has_no_source():
    assert find_code([CustomName("sys:exit", "strategy")]) == CustomCode({"sys:exit": {}})


def test_the_version_of_a_package_that_offers_a_strategy_counts(folder):
    write(folder, {"offered.py": "class Mine: pass\n"})
    one, two = (
        find_code([CustomName("offered:Mine", "strategy", "offered-package", version)])
        for version in ("1.0", "1.1")
    )
    assert one.all_files["offered-package"] == "1.0"
    assert one.digest("offered:Mine") != two.digest("offered:Mine")


def test_a_worker_refuses_other_code_than_the_drivers(folder, monkeypatch):
    write(folder, FILES)
    code = find_code([NAME])
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each != str(folder)])
    prepare_worker(code)
    assert sys.path[-1] == str(folder), "the user's folder comes after all others"
    write(folder, {"package/near.py": "\n"})
    with pytest.raises(SpecError, match=r"package\.mine:Mine'.* package/near\.py in .* is not as"):
        require_same_code(code, NAME)
    write(folder, FILES)
    require_same_code(code, NAME)
    write(folder, {"package/near.py": "\n"})
    require_same_code(code, NAME)  # what is in memory is still the driver's
    require_same_code(
        CustomCode(), NAME
    )  # in the driver's own process there is nothing to compare


CELL = """
FACTOR = 2
def scaled(x):
    return FACTOR * x
class Base:
    def score(self, x):
        return scaled(x)
class Mine(Base):
    @property
    def needs(self):
        return NEEDS
"""


def run_cell(monkeypatch, text):
    """Define what a notebook's cell defines, whose text Python keeps as it keeps a file's."""
    file = f"/tmp/ipykernel/{len(text)}.py"
    monkeypatch.setitem(
        linecache.cache, file, (len(text), None, text.splitlines(keepends=True), file)
    )
    namespace = {"__name__": "__main__"}
    exec(compile(text, file, "exec"), namespace)
    for name in ("FACTOR", "scaled", "Base", "Mine"):
        monkeypatch.setattr(sys.modules["__main__"], name, namespace[name], raising=False)


@pytest.mark.parametrize(
    ("old", "new"), [("FACTOR = 2", "FACTOR = 33"), ("* x", "+ x"), ("return NEEDS", "return 1")]
)
def test_what_a_notebook_defines_is_known_by_all_that_it_uses(monkeypatch, old, new):
    name = CustomName("__main__:Mine", "strategy")
    run_cell(monkeypatch, CELL)
    before = find_code([name])
    assert before.values == {"__main__:Mine": sys.modules["__main__"].Mine}
    assert before.all_files.keys() == {
        f"__main__:{each}" for each in ("FACTOR", "scaled", "Base", "Mine")
    }
    run_cell(monkeypatch, f"\n\n{CELL}")
    assert find_code([name]).digest(name.name) == before.digest(name.name)
    run_cell(monkeypatch, CELL.replace(old, new))
    assert find_code([name]).digest(name.name) != before.digest(name.name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("./broken.py:Mine", r"names a file; name its module, here: broken:Mine"),
        ("deep/broken.py:Mine", r"name its module, here: deep\.broken:Mine"),
        ("/x/broken.py:Mine", r"in its folder, or with that folder in PYTHONPATH: broken:Mine"),
        ("broken:Mine", r"broken\.py, line 1: SyntaxError"),
        ("raising:Mine", r"raising\.py, line 2: ZeroDivisionError"),
        ("leaving:Mine", r"leaving\.py, line 1: SystemExit: stop"),
        ("needy:Mine", r"needy\.py, line 1: ModuleNotFoundError: No module named 'not_there'"),
        ("not_there:Mine", r"'not_there'; modules are found in the present folder and in"),
        ("fine:Mien", r"fine\.py has no 'Mien'; did you mean 'Mine'\?"),
        (
            "__main__:Mien",
            r"this program defines no 'Mien'; a class of __main__ has to be defined",
        ),
    ],
)
def test_what_cannot_be_imported_is_refused_with_the_reason(folder, name, message):
    files = {
        "broken.py": "class Mine(:\n",
        "raising.py": "one = 1\none / 0\n",
        "leaving.py": "raise SystemExit('stop')\n",
        "needy.py": "import not_there\n",
        "fine.py": "class Mine: pass\n",
    }
    write(folder, files)
    with pytest.raises(SpecError, match=message) as caught:
        load(name, "strategy")
    assert str(caught.value).startswith(f"strategy {name!r}")
