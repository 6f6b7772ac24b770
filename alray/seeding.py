"""Every random number's origin: a counter-based generator made from (study seed, run seed, purpose, round).

Nothing here keeps state, so a resumed run needs no saved generator and repeats its draws to the bit. Arms of one run
seed that draw for the same purpose get the same numbers: they share the split, the initial labels, the initial
weights and the order of the batches, which is what makes comparisons between them paired.
"""

import hashlib
import random  # noqa: TID251 -- a user's code may draw from it
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

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
    "choice",
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
    "folds",
    "planted_labels",
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


def draws_by_id(
    study_seed: int,
    run_seed: int,
    purpose: Purpose,
    ids: npt.NDArray[Any],
    round_number: int = 0,
) -> npt.NDArray[np.uint64]:
    """Return 64 random bits for each of (n,) ids, which depend on that id and the other arguments alone.

    So an object's draw is the same in whichever part of a pool it is read. It is SipHash of the id under a key from
    `seed` (Aumasson and Bernstein 2012), which pandas mixes once more, and takes about a microsecond an id.
    """
    from pandas.util import hash_array  # noqa: PLC0415 -- most who need a seed need no pandas

    key = f"{seed(study_seed, run_seed, purpose, round_number) % 2**64:016x}"
    return hash_array(ids, hash_key=key, categorize=False)


def global_states() -> tuple[bytes, int, tuple[object, ...]]:
    """Return the states of the global generators of NumPy and Python, equal as long as nothing is drawn from them."""
    _, key, position, *_ = np.random.get_state(legacy=True)  # noqa: NPY002 -- the global one is meant
    return np.asarray(key).tobytes(), int(position), random.getstate()


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
