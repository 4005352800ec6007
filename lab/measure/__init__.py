"""Measuring: what is read while a load runs, and what is made of the readings."""
