"""What a host needs before the lab can run: packages, and what is compiled from this tree."""
