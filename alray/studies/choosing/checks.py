"""What cannot work is refused before a pool is read in parts."""

import torch

from alray.errors import SpecError
from alray.networks.loss_predictor import LossPredictor
from alray.networks.network import Network
from alray.scoring.agreement import check_committee
from alray.strategies.libraries.strategy import LibraryStrategy
from alray.strategies.signals import Request
from alray.studies.choosing.rule import Rule
from alray.studies.choosing.trained import TrainedNetwork
from alray.studies.rounds.strategy_checks import check_memory, check_signals


def check_room(rule: Rule, number: int, compared: int) -> None:
    """Refuse another library's strategy that cannot compare as many objects as its short list may have.

    Args:
        rule: How the strategy chooses.
        number: Objects to choose.
        compared: The most that the short list may have.

    Raises:
        SpecError: Names both numbers, and what works.
    """
    strategy = rule.strategy
    if not isinstance(strategy, LibraryStrategy):
        return
    most = strategy.known.most
    way = f"use shortlist={most}" if number <= most else f"choose at most {most:,} objects"
    strategy.require_room(compared, f"{way}, or use another strategy, such as margin")


def check_network(rule: Rule, text: str, trained: TrainedNetwork) -> None:
    """Refuse a network that lacks what the strategy of this text chooses by.

    Raises:
        SpecError: Says what it lacks, and what works.
    """
    if rule.scorer is None:
        return
    network, predictor = trained.build(torch.device("cpu"))
    try:
        _check_needs(rule.strategy.needs, network, predictor)
        check_memory(network, rule.strategy)
    except SpecError as error:
        raise SpecError(
            f"{text}: {error}; or choose by another strategy, such as margin"
        ) from None


def _check_needs(needs: Request, network: Network, predictor: LossPredictor | None) -> None:
    check_signals(network, needs)
    if needs.committee is not None:
        check_committee(network, needs.committee)
    if needs.predicted_loss and predictor is None:
        raise SpecError(
            "the strategy needs predicted losses, and the network was trained without a loss predictor: train one "
            "with training.loss_prediction"
        )
