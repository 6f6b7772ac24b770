"""The strategies: rules that choose which objects to label, each a frozen dataclass over pure score functions."""

from alray.strategies.base import BatchStrategy, Query, ScoreStrategy, Strategy
from alray.strategies.registry import STRATEGIES, canonical, custom_name, identity, parse
from alray.strategies.signals import Committee, InputDropout, Request, Signals
from alray.strategies.stochastic import Stochastic

__all__ = [
    "STRATEGIES",
    "BatchStrategy",
    "Committee",
    "InputDropout",
    "Query",
    "Request",
    "ScoreStrategy",
    "Signals",
    "Stochastic",
    "Strategy",
    "canonical",
    "custom_name",
    "identity",
    "parse",
]
