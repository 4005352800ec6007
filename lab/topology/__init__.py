"""What a lab consists of: the topology file, its checks, and the values made from it."""
