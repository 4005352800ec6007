"""Compiles, loads and attaches the XDP programs, by libbpf. See xdp/README.md."""
