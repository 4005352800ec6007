"""Probes that say what the running kernel and host can do, with the evidence."""
