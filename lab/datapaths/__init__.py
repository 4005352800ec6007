"""What forwards inside a switch node: one file for each, behind `base.Datapath`."""

from lab.datapaths import linux_bridge, ringside
from lab.datapaths.base import Datapath

DATAPATHS: dict[str, Datapath] = {one.name: one for one in (ringside.DATAPATH, linux_bridge.DATAPATH)}
