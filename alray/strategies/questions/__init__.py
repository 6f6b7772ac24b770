"""Strategies that ask yes/no questions about classes (Hu et al. 2019): which object, and which question."""
