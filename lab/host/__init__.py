"""Primitives on this machine: one kernel object a file. Whatever makes a thing writes it into the ledger
before.
"""
