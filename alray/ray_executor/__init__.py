"""The Ray side, and the only one that imports Ray: the pool once per node, actors for runs, tasks for fine-tunes."""
