"""Every random number's origin: a counter-based generator made from (study seed, run seed, purpose, round).

Nothing here keeps state, so a resumed run needs no saved generator and repeats its draws to the bit. Arms of one run
seed that draw for the same purpose get the same numbers: they share the split, the initial labels, the initial
weights and the order of the batches, which is what makes comparisons between them paired.
"""

import hashlib
import random  # noqa: TID251 -- a user's code may draw from it
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np

Purpose = Literal[
    "split",
    "initial",
    "weights",
    "loss_prediction_weights",
    "batches",
    "dropout",
    "stopping",
    "committee",
    "input_dropout",
    "strategy",
    "candidates",
    "query_diagnostics",
    "stop_set",
    "questions",
    "replies",
    "sample",
    "test_objects",
    "groups",
    "fine_tune_batches",
    "fine_tune_dropout",
    "crowd",
    "answers",
    "assignment",
    "control",
    "bootstrap",
    "twin",
    "leakage_sample",
    "overlapping_windows",
    "audit",
    "batch_order",
]


def seed(study_seed: int, run_seed: int, purpose: Purpose, round_number: int = 0) -> int:
    """Return the 128-bit integer that stands for this purpose: SHA-256 of the four words, cut."""
    words = f"alray/{study_seed}/{run_seed}/{purpose}/{round_number}"
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:16], "little")


def torch_seed(study_seed: int, run_seed: int, purpose: Purpose, round_number: int = 0) -> int:
    """Return the same identity in the 63 bits that a `torch.Generator` takes."""
    return seed(study_seed, run_seed, purpose, round_number) >> 65


def generator(
    study_seed: int, run_seed: int, purpose: Purpose, round_number: int = 0
) -> np.random.Generator:
    """Return a NumPy generator (Philox, counter-based) for this purpose."""
    return np.random.Generator(
        np.random.Philox(key=seed(study_seed, run_seed, purpose, round_number))
    )


def place_of(study_seed: int, purpose: Purpose, name: str) -> float:
    """Return a number in [0, 1) that is drawn for a name, and for nothing else: others may come and go.

    It is the first 53 bits of a SHA-256, so over names it is uniform.
    """
    words = f"alray/{study_seed}/{purpose}/name/{name}"
    return (int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "little") >> 11) * 2.0**-53


@contextmanager
def seeded_globals(number: int) -> Iterator[None]:
    """Seed the global generators of NumPy and Python within a `with` statement, and restore their states afterwards.

    alray draws nothing from them; the user's strategies and networks may.
    """
    of_numpy, of_python = np.random.get_state(), random.getstate()  # noqa: NPY002 -- the global one is meant
    np.random.seed(number % 2**32)  # noqa: NPY002, TID251 -- as above
    random.seed(number)
    try:
        yield
    finally:
        np.random.set_state(of_numpy)  # noqa: NPY002 -- as above
        random.setstate(of_python)
