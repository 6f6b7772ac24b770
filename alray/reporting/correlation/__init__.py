"""The page of a correlation study."""
