"""Command lines with options that are damaged at random: names, values, numbers, order."""

from tests.helpers.generated_pools import Rng, pick

VALID = (
    "sweep --pool POOL --initial 30 --query 5 --rounds 2 --seeds 2 --strategies random,margin --executor inline",
    "sweep --pool POOL --initial 30 --query 5 --rounds 2 --set training.lr=0.01 --vary model.width=8,16",
    "sweep --pool POOL --initial 30 --query 5 --rounds 2 --strategies bald:members=3 --candidates 50 --label label",
    "correlate --pool POOL --initial 30 --group-size 5 --groups 4 --scores loss,margin --bases 1 --executor inline",
    "pool describe POOL --label label --modality image=image --min-class-size 2",
    "pool import POOL OUT --label y --id id --dtype float16",
    "pool make synthetic OUT --objects 300 --classes 5",
    "report STUDY --format html,csv --target 0.5",
)
VALUES = (
    "",
    " ",
    "-1",
    "0",
    "nan",
    "inf",
    "1e400",
    "99999999999999999999999",
    "a",
    "a=b",
    "=",
    ",",
    "0.5",
    "1,1",
    "None",
    "null",
    "[1]",
    "{}",
    "ü",
    "../..",
    "/",
    "~",
    "%s",
    "\x1b[1m",
    "random,",
    ":",
    "bald:members=x",
    "x.y=1",
    "training.lr=nan",
    "--",
    "-",
)


def damaged(rng: Rng) -> list[str]:
    """Return the words of a valid command after one to three changes."""
    words = str(pick(rng, VALID)).split()
    for _ in range(int(rng.integers(1, 4))):
        position = int(rng.integers(1, len(words)))
        change = int(rng.integers(6))
        if change == 0:
            words[position] = str(pick(rng, VALUES))
        elif change == 1:
            del words[position]
        elif change == 2:
            words.insert(position, words[position])
        elif change == 3:
            words[position] = words[position][:-1]
        elif change == 4:
            other = int(rng.integers(1, len(words)))
            words[position], words[other] = words[other], words[position]
        else:
            words.insert(position, str(pick(rng, VALUES)))
        if len(words) < 3:
            break
    return words
