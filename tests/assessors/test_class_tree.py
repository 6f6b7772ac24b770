"""The tree of classes: from names, from a file's rows, and built; what is no tree is refused with its reason."""

import numpy as np
import pytest

from alray.assessors.class_tree import (
    built_sets,
    questions_of,
    sets_of_names,
    sets_of_parents,
)
from alray.errors import SpecError

CLASSES = ("animals", "animals/birds", "animals/birds/owls", "food/fruit", "food/meat", "tools")


def named(sets):
    return dict(sets)


def test_names_with_a_separator_are_a_tree_in_which_a_class_belongs_to_its_own_node():
    sets = named(sets_of_names(CLASSES, "/"))
    assert sets == {
        "animals and all below it": (0, 1, 2),
        "animals/birds and all below it": (1, 2),
        "food": (3, 4),
    }


def test_names_without_a_common_part_are_no_tree():
    with pytest.raises(SpecError, match=r"no two of the classes .*questions\.separator"):
        sets_of_names(("a-b", "a-c", "d"), "/")
    assert named(sets_of_names(("a-b", "a-c", "d"), "-")) == {"a": (0, 1)}


def test_rows_of_a_file_are_a_tree_whose_root_needs_no_row():
    rows = [("owls", "birds"), ("birds", "animals"), ("fruit", "food"), ("meat", "food")]
    rows += [("animals", "all"), ("food", "all"), ("tools", "all")]
    classes = ("birds", "fruit", "meat", "owls", "tools")
    sets = sets_of_parents(rows, classes, "tree.csv")
    # A class may have others below it.
    below = "birds and all below it"
    wanted = {"all": (0, 1, 2, 3, 4), below: (0, 3), "animals": (0, 3), "food": (1, 2)}
    assert {name: members for name, members in sets if len(members) > 1} == wanted
    assert named(sets_of_parents([*rows, ("all", "")], classes, "tree.csv")) == named(sets)


def test_each_set_is_asked_about_once_and_never_all_classes():
    sets = [("all", (0, 1, 2, 3)), ("left", (0, 1)), ("also left", (1, 0)), ("single", (2,))]
    questions = questions_of(sets, 4)
    assert questions.members == ((0, 1), (0,), (1,), (2,), (3,))
    assert questions.names == ("left", "", "", "", "")
    assert questions.first_single == 1
    assert questions.sets.dtype == bool


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [("a", "b"), ("b", "c"), ("c", "a"), ("d", "")],
            r"column parent has a cycle: 'a' -> 'b' -> 'c' -> 'a'",
        ),
        ([("a", "b"), ("b", "a")], "column parent gives every node a parent, so there is a cycle"),
        (
            [("a", "x"), ("b", "x"), ("c", "y")],
            "column parent leaves 2 nodes without a parent: 'x', 'y'; .*common parent",
        ),
        ([("a", "x"), ("a", "y"), ("b", "x")], "column class has 'a' more than once"),
        ([("a", "x"), ("b", "x")], "column class lacks 1 of the pool's 3 classes, such as 'c'"),
        (
            [("a", "x"), ("b", "x"), ("c", "x"), ("owl", "x")],
            "column class has 'owl', below which nothing lies and which is no class of the pool",
        ),
    ],
)
def test_what_is_no_tree_is_refused_with_column_and_value(rows, message):
    with pytest.raises(SpecError, match=f"tree.csv: {message}"):
        sets_of_parents(rows, ("a", "b", "c"), "tree.csv")


def test_a_slip_of_the_keyboard_is_named():
    with pytest.raises(SpecError, match="did you mean it by 'anmials'"):
        sets_of_parents([("anmials", "x"), ("b", "x")], ("animals", "b"), "tree.csv")


def test_a_built_tree_joins_near_classes_and_has_two_below_each_node():
    rng = np.random.default_rng(0)
    places = np.array([[0, 0], [0, 1], [20, 0], [20, 1], [0, 40], [0, 41.5], [20, 42]])
    sets = built_sets(places + rng.normal(size=places.shape) * 0.01)
    members = [each for _, each in sets]
    assert members[:2] == [(0, 1, 2, 3), (4, 5, 6)]
    assert set(members[2:]) == {(0, 1), (2, 3), (4, 5)}
    # Inner nodes of a binary tree without its root.
    assert len(sets) == len(places) - 2
    assert built_sets(places[:2]) == []
