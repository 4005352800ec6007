"""The control plane: desired state, the reconciler that carries it out, and the daemon around them."""
