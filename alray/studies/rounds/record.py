"""What a round leaves behind, as a row."""

from typing import Any

Record = dict[str, Any]
"""Column: value."""
