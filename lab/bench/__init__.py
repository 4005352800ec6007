"""Benchmarks: datapaths under test, side by side in one run."""
