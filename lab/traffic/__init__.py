"""Loads: what makes packets, what takes them in at the other end, and what they look like."""
