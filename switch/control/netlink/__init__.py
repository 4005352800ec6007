"""What the kernel says about network devices, and when it changes.

A reader of our own for two kinds of messages, not pyroute2: importing that costs 0.3 s, as long as all
the rest of the daemon's start, and what is needed here is two dumps and one multicast group.
"""
