"""Reading, importing and making pools: the only modules that open a pool's files."""
