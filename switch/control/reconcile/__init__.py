"""Desired state against actual state: what to do (plan), how it is seen (actual), doing it (apply)."""
