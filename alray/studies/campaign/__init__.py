"""Labelling for real: a ledger of batches and answers, and what is chosen next. No sweep is known here."""
