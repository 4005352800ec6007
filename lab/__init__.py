"""The lab: topologies, their nodes and links, and what is done with them."""
