import itertools
from typing import get_args

import numpy as np
import torch

from alray.networks.generators import forked_rng, torch_generator
from alray.seeding import Purpose, generator, seed, torch_seed

PURPOSES = get_args(Purpose)


def test_each_purpose_seed_and_round_has_its_own_number():
    identities = list(itertools.product(range(3), range(3), PURPOSES, range(-1, 3)))
    numbers = {seed(*identity) for identity in identities}
    assert len(numbers) == len(identities)
    assert len({torch_seed(*identity) for identity in identities}) == len(identities)


def test_numbers_stay_what_they_are():
    """Were they to change, a study on disk could not be resumed: raise the schema number if they must."""
    assert seed(0, 0, "split") == 276242992298020654336397857250519025762
    assert torch_seed(3, 1, "batches", 2) == 2956592299394832409
    assert generator(0, 0, "split").integers(0, 1000, 4).tolist() == [223, 702, 115, 461]


def test_numbers_fit_their_generators():
    assert all(0 <= seed(1, 2, purpose) < 2**128 for purpose in PURPOSES)
    assert all(0 <= torch_seed(1, 2, purpose) < 2**63 for purpose in PURPOSES)


def test_a_generator_repeats_its_draws():
    one, again, other = (generator(1, 2, "batches", number).random(5) for number in (3, 3, 4))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert torch.equal(*(torch.rand(4, generator=torch_generator(7)) for _ in range(2)))


def test_forked_code_draws_from_its_seed_and_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    drawn = []
    for number in (1, 1, 2):
        with forked_rng(number):
            drawn.append(torch.rand(3))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert torch.equal(before, torch.random.get_rng_state())
