"""Benchmarks, one script a figure; each prints a ratio. `trackcenter bench --list` names them."""
