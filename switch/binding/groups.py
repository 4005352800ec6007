"""Groups, meters and the TLV map of tunnel options, in ovs-ofctl's texts."""

from __future__ import annotations

from enum import IntEnum

from switch.binding.errors import check, new_error
from switch.binding.ffi import lib
from switch.binding.handle import Handle
from switch.binding.text import made_by

ALL_GROUPS = 0xFFFFFFFC
ALL_METERS = 0xFFFFFFFF


class GroupCommand(IntEnum):
    """What a group's text is for."""

    ADD = 0
    MODIFY = 1
    DELETE = 2
    ADD_OR_MODIFY = 3
    INSERT_BUCKET = 4
    REMOVE_BUCKET = 5


class MeterCommand(IntEnum):
    """What a meter's text is for."""

    ADD = 0
    MODIFY = 1
    DELETE = 2


class TlvCommand(IntEnum):
    """What happens to mappings of tunnel options."""

    ADD = 0
    DELETE = 1
    CLEAR = 2


class Groups:
    """The groups of a switch. Changes are true in the datapath when they return."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def mod(self, group: str, command: GroupCommand = GroupCommand.ADD) -> None:
        """One change ("group_id=1,type=select,bucket=weight:1,actions=output:1,…"); "" deletes all."""
        err = new_error()
        check(lib.rs_group_mod(self._handle.raw, group.encode(), int(command), err), err, "group")
        lib.rs_sync(self._handle.raw)

    def add(self, group: str) -> None:
        """Adds a group."""
        self.mod(group, GroupCommand.ADD)

    def delete(self, group: str = "") -> None:
        """Deletes a group ("group_id=1"), or all."""
        self.mod(group, GroupCommand.DELETE)

    def lines(self, group_id: int = ALL_GROUPS, stats: bool = False, names: bool = False) -> list[str]:
        """As `ovs-ofctl dump-groups`, or dump-group-stats."""
        handle = self._handle.raw
        lib.rs_sync(handle)
        return made_by(
            lambda out, err: lib.rs_group_dump(handle, group_id, stats, names, out, err), "group"
        ).splitlines()


class Meters:
    """The meters of a switch."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def mod(self, meter: str, command: MeterCommand = MeterCommand.ADD) -> None:
        """One change ("meter=1,kbps,burst,bands=type=drop,rate=1000,burst_size=100")."""
        err = new_error()
        check(lib.rs_meter_mod(self._handle.raw, meter.encode(), int(command), err), err, "meter")
        lib.rs_sync(self._handle.raw)

    def add(self, meter: str) -> None:
        """Adds a meter."""
        self.mod(meter, MeterCommand.ADD)

    def delete(self, meter: str = "") -> None:
        """Deletes a meter ("meter=1"), or all."""
        self.mod(meter, MeterCommand.DELETE)

    def text(self, meter_id: int = ALL_METERS, stats: bool = False) -> str:
        """As `ovs-ofctl dump-meters`, or meter-stats: some lines a meter, then an empty one."""
        handle = self._handle.raw
        return made_by(lambda out, err: lib.rs_meter_dump(handle, meter_id, stats, out, err), "meter")


class TlvMap:
    """Which tunnel option is which tun_metadata field, in all switches of the process."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def mod(self, mappings: str, command: TlvCommand = TlvCommand.ADD) -> None:
        """One change ("{class=0xffff,type=0,len=4}->tun_metadata0,…")."""
        err = new_error()
        check(lib.rs_tlv_mod(self._handle.raw, mappings.encode(), int(command), err), err, "tlv-map")

    def text(self) -> str:
        """As `ovs-ofctl dump-tlv-map`."""
        handle = self._handle.raw
        return made_by(lambda out, _: lib.rs_tlv_dump(handle, out), "tlv-map")
