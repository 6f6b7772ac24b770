"""The columns of a pool: ids, labels, groups and split as text and codes, modalities as features."""
