"""Proof: the hash chain recomputed, the fold replayed, the counts counted."""
