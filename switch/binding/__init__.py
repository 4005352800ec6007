"""Typed Python over switch/api: the only package that imports the compiled module."""
