"""Pools of embeddings: read, import, describe, make and split them; no other package opens a pool's file."""
