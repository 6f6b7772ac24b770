"""What only a GPU can show: captured steps, equal bits, and the CPU's numbers to rounding."""

import numpy as np
import pytest
import torch

from alray.networks.generators import torch_generator
from alray.networks.tensors import ArrayTensors, PoolTensors
from alray.scoring.engine import score
from alray.scoring.evaluation import evaluate
from alray.settings.common import ExecutionSpec, ModelSpec, TrainingSpec
from alray.strategies.signals import Committee, Request
from alray.studies.devices import is_gpu_memory, take_device
from alray.training.gpu.stack import Epoch, place_of
from alray.training.gpu.stacks import Stacks
from alray.training.learner import fresh_learner
from tests.helpers.builders import make_network, make_pool, plan_of
from tests.helpers.groups import assert_equal_alone_and_together

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

TWO = {"image": 20, "text": 6}


def on_gpu(pool):
    return PoolTensors(pool, ArrayTensors(take_device(ExecutionSpec(gpus_per_run=1))))


def trained(pool, tensors, *, frozen=False, **model):
    """Return a learner's tensors after some epochs in a stack on the pool's device, and the last loss."""
    spec = ModelSpec(**{"width": 8, **model})
    learner = fresh_learner(spec, TrainingSpec(), tensors, lambda _: 0)
    Stacks(4).for_row(2).place(learner, spec, tensors)
    loss = np.nan
    for seed in range(3):
        epoch = Epoch(learner, np.array_split(pool.train, 5), seed, live=not frozen)
        (loss,) = place_of(learner).stack.run([epoch])
    return {name: each.cpu() for name, each in learner.state_dict().items()}, loss


@pytest.mark.parametrize("absent", [0.0, 0.4])
@pytest.mark.parametrize("frozen", [False, True])
def test_captured_steps_move_a_learner_as_the_cpu_does(absent, frozen):
    pool = make_pool(400, TWO, absent=absent)
    settings = {"dropout": 0.0, "frozen": frozen}
    expected, loss = trained(pool, PoolTensors(pool), **settings)
    found, gpu_loss = trained(pool, on_gpu(pool), **settings)
    assert gpu_loss == pytest.approx(loss, rel=1e-3)
    torch.testing.assert_close(found, expected, rtol=2e-2, atol=2e-4)


def test_captured_steps_repeat_to_the_bit():
    pool = make_pool(400, TWO, absent=0.4)
    (one, loss), (other, again) = (trained(pool, on_gpu(pool)) for _ in range(2))
    assert loss == again
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("committee", [None, Committee(3)])
def test_scores_and_metrics_are_the_cpus_to_rounding(committee):
    pool = make_pool(900, TWO, absent=0.4)
    request = Request(log_probs=True, features=True, committee=committee)
    found, metrics = [], []
    for tensors in (PoolTensors(pool), on_gpu(pool)):
        network = make_network(pool, randomised=True).to(tensors.device)
        found.append(score(network, tensors, pool.train, request, torch_generator(1)))
        metrics.append(evaluate(network, tensors, pool.test))
    assert metrics[1].nll == pytest.approx(metrics[0].nll, rel=1e-4)
    assert metrics[1].accuracy == pytest.approx(metrics[0].accuracy, abs=0.01)
    for name in ("log_probs", "features", "committee_log_mean", "committee_mean_entropy"):
        cpu, gpu = (getattr(each, name) for each in found)
        if cpu is not None:
            torch.testing.assert_close(gpu.cpu(), cpu, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("strategy", ["margin", "bald:members=3", "learning_loss"])
@pytest.mark.parametrize("batch_norm", ["live", "frozen"])
def test_a_run_ends_with_the_same_bits_alone_and_beside_others(strategy, batch_norm):
    pool = make_pool(400, TWO, absent=0.3)
    training = {"passive_epochs": 3, "batch_size": 16, "batch_norm": batch_norm}
    plan = plan_of(
        pool,
        strategies=[strategy, "random"],
        seeds=2,
        rounds=6,
        training=training,
        execution={"gpus_per_run": 0.25},
    )
    runs = [run for run in plan.runs if run.strategy == strategy]
    assert_equal_alone_and_together(plan, runs[0], plan.runs)


def test_memory_that_a_gpu_lacks_is_known_as_such():
    with pytest.raises(torch.OutOfMemoryError) as caught:
        torch.empty(1 << 44, device="cuda")
    assert is_gpu_memory(caught.value)
