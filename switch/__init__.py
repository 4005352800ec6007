"""The userspace switch: C datapath and slow path, and the Python control plane around them."""
