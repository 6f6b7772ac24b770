"""A campaign of labelling from Python, and what it takes from a study: what `alray label` calls."""
