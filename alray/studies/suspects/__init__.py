"""Labels of a pool that are likely wrong: predictions by folds, and what confident learning makes of them."""
