"""The command that goes on: what was typed, with what changes in the place of what was there."""

import shlex

import pytest

from alray.reporting.again import again


@pytest.mark.parametrize(
    ("command", "changes", "expected"),
    [
        ("alray sweep posts.parquet", {"rounds": "90"}, "alray sweep posts.parquet --rounds 90"),
        (
            "alray sweep --rounds 60 --seeds=6 posts.parquet --fresh --set rounds=3 --set=training.lr=1",
            {"rounds": "90"},
            "alray sweep --seeds=6 posts.parquet --set=training.lr=1 --rounds 90",
        ),
        ("alray sweep --seeds=6 --set=seeds=3 --dry-run a", {"seeds": "0,3"}, "alray sweep a --seeds 0,3"),
        (
            "alray sweep 'my posts.parquet' --modality 'image=img_*' --fresh",
            {},
            "alray sweep 'my posts.parquet' --modality 'image=img_*'",
        ),
        ("alray.sweep(...)", {"rounds": "90", "strategies": "random,margin"},
         "alray.sweep(..., rounds=90, strategies='random,margin')"),
        ("alray.sweep(...)", {}, "alray.sweep(...)"),
        ("", {"seeds": "8"}, "the same command with --seeds 8"),
        ("alray sweep it's", {}, "the same command"),
        ("scripts/study", {"rounds": "3"}, "the same command with --rounds 3"),
    ],
)  # fmt: skip
def test_changes_stand_in_the_place_of_what_was_typed(command, changes, expected):
    """What throws records away is left out, or the command would begin anew."""
    assert again(command, changes) == expected


def test_words_stay_words():
    typed = ["alray", "sweep", "a b.parquet", "--set", "vary={}", "--name", "$HOME"]
    assert shlex.split(again(shlex.join(typed), {"seeds": "8"})) == [*typed, "--seeds", "8"]
