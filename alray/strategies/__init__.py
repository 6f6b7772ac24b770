"""The strategies: rules that choose which objects to label, each a frozen dataclass over pure score functions."""

from alray.strategies.base import Query, ScoreStrategy, Strategy
from alray.strategies.registry import STRATEGIES, canonical, identity, parse

__all__ = ["STRATEGIES", "Query", "ScoreStrategy", "Strategy", "canonical", "identity", "parse"]
