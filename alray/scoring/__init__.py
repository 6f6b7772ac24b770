"""Scoring many objects in one pass, and evaluation."""
