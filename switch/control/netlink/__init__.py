"""What the kernel says about network devices, and when it changes; the messages are pyroute2's business."""
