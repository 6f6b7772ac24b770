"""What cannot work is refused before a campaign begins."""

from alray.assessors.aggregation import require_crowd_kit
from alray.errors import AlrayError, PoolError, SpecError
from alray.networks.tensors import PoolTensors
from alray.networks.threads import threads
from alray.pools.open_pool import OpenPool
from alray.seeding import torch_seed
from alray.settings.campaign import CampaignSpec
from alray.settings.estimators import class_of
from alray.settings.run import RunSpec
from alray.strategies import Strategy, parse
from alray.strategies.clusters import require_clusters
from alray.strategies.libraries.strategy import LibraryStrategy
from alray.strategies.questions.arms import QuestionStrategy
from alray.studies.campaign.campaign import first_ledger
from alray.studies.campaign.fitting import run_of
from alray.studies.campaign.ledger import sorted_classes
from alray.studies.campaign.loading import load_to_try
from alray.studies.campaign.parts import Parts, parts_of
from alray.studies.choosing.rule import SHORTLIST, rule_of
from alray.studies.rounds.strategy_checks import check_members, check_memory, check_signals
from alray.training.learner import check_training
from alray.training.stopping import held_out_count
from alray.training.trial import check_batches, tried_network


def check_strategy(spec: CampaignSpec) -> Strategy:
    """Return a campaign's strategy; refuse one that labels have to be known for.

    Raises:
        SpecError: Names it, and what works.
    """
    strategy = parse(spec.strategy)
    if isinstance(strategy, QuestionStrategy):
        raise SpecError(
            f"strategy {spec.strategy}: a campaign asks for classes, not yes/no questions; use margin, or another that "
            "`alray strategies` lists"
        )
    if strategy.oracle:
        raise SpecError(
            f"strategy {spec.strategy} needs the labels that are to be bought: it is a diagnostic of sweeps; use "
            "margin, or another that `alray strategies` lists"
        )
    if spec.initial_selection != "random":
        require_clusters(f"initial_selection: {spec.initial_selection}")
    require_crowd_kit(spec.aggregate)
    if spec.in_parts:
        _check_parts(spec)
    return strategy


def _check_parts(spec: CampaignSpec) -> None:
    """Refuse what cannot choose from a pool that is read in parts."""
    rule_of(spec.strategy, 1)
    if class_of(spec.model.name) is not None:
        raise SpecError(
            f"model.name: {spec.model.name}: a classifier of scikit-learn is fitted in memory, and in_parts reads the "
            "pool's files; use a built-in network or a module of your own"
        )


def check_pool(spec: CampaignSpec, pool: OpenPool) -> tuple[str, ...]:
    """Return all classes; refuse a pool in which there is nothing to label.

    Raises:
        PoolError: All objects have a label, or fewer than two classes are known.
    """
    if not (pool.known.labels < 0).any():
        raise PoolError(
            f"{pool.known.path}: all {len(pool.known.ids):,} objects have a label (column {spec.pool.label!r}), so "
            "nothing is left to ask about; name another column with --label COLUMN, or try strategies with "
            "`alray sweep`"
        )
    classes = sorted_classes({*pool.known.classes, *spec.classes})
    if len(classes) < 2:
        known = f"only {classes[0]!r} is known" if classes else "none is known"
        raise PoolError(
            f"{pool.known.path}: a campaign needs two classes or more, and {known} by its labels (column "
            f"{spec.pool.label!r}); name those that assessors may answer with --classes A,B,C"
        )
    return classes


def check_network(spec: CampaignSpec, pool: OpenPool, strategy: Strategy, classes: int) -> None:
    """Refuse a network that cannot be built, cannot learn, or lacks what the strategy goes by.

    Raises:
        SpecError: Says why, and what works.
    """
    run: RunSpec = run_of(spec, 1)
    tensors = PoolTensors(load_to_try(pool, spec, classes))
    seed = torch_seed(spec.seed, 0, "weights")
    with threads(spec.threads):
        # The first fit is from the labels of the start where they are enough.
        known = max(run.initial, int((pool.known.labels >= 0).sum()))
        learnt = known - held_out_count(run.training, known)
        network = tried_network(run.model, run.training, tensors, seed, run.initial)
        try:
            check_batches(network, run.model.name, run.training, tensors, seed, [learnt])
            check_training(network, run.training)
            check_signals(network, strategy.needs)
            check_memory(network, strategy)
            if run.training.loss_prediction is not None and not network.tap_sizes:
                raise SpecError(
                    "predicting the loss needs hidden layers to tap: use model late_fusion or cnn"
                )
            if strategy.needs.committee is not None:
                check_members(network, tensors, strategy.needs.committee, seed)
        except AlrayError as error:
            raise SpecError(f"{spec.strategy}: {error}") from None


def check_room(spec: CampaignSpec, pool: OpenPool, strategy: Strategy) -> None:
    """Refuse another library's strategy that cannot compare the objects that will be left when it begins to choose.

    `spec.initial` is filled in.

    Raises:
        SpecError: Names both numbers, and what works.
    """
    if not isinstance(strategy, LibraryStrategy):
        return
    ledger = first_ledger(pool.known)
    candidates = len(parts_of(pool, ledger, spec.seed, spec.audit).candidates)
    left = candidates - max(0, (spec.initial or 0) - len(ledger.initial))
    # Parts of a pool are chosen from by a short list.
    strategy.require_room(
        min(left, SHORTLIST) if spec.in_parts else left, "use another strategy, such as margin"
    )


def about_audit(spec: CampaignSpec, parts: Parts) -> str:
    """Return how large the audit part is."""
    if not spec.audit:
        return "no audit part: nothing will say how accurate the network is"
    number = int(parts.audit.sum())
    return (
        f"audit part: {number:,} objects, drawn at random, that the network will never learn from; each batch has some "
        "of them"
    )
