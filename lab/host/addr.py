"""Addresses and routes of a namespace's devices."""

from __future__ import annotations

import ipaddress

from pyroute2.netlink.exceptions import NetlinkError

from lab.errors import fail
from lab.host.link import Session

# No duplicate address detection: an address works the moment it is set, and nobody else is on these links.
_NODAD = 0x02
_PERMANENT_SCOPES = (0,)


def current(link: Session, device: str) -> set[str]:
    """Addresses with prefix length that somebody has set (not the link-local ones that the kernel makes)."""
    found = set()
    for message in link.socket.get_addr(index=link.index(device)):
        if message["scope"] in _PERMANENT_SCOPES:
            address = ipaddress.ip_address(message.get_attr("IFA_ADDRESS"))
            found.add(f"{address}/{message['prefixlen']}")
    return found


def settle(link: Session, device: str, wanted: tuple[str, ...]) -> None:
    """Makes the device's addresses the wanted ones: adds, removes, leaves alone. Raises LabError."""
    want = {normal(address) for address in wanted}
    have = current(link, device)
    index = link.index(device)
    for address in sorted(have - want):
        _change(link, "del", index, device, address)
    for address in sorted(want - have):
        _change(link, "add", index, device, address)


def normal(address: str) -> str:
    """One spelling for each address."""
    return str(ipaddress.ip_interface(address))


def _change(link: Session, command: str, index: int, device: str, text: str) -> None:
    interface = ipaddress.ip_interface(text)
    extra = {"flags": _NODAD} if interface.version == 6 else {}
    try:
        link.socket.addr(
            command, index=index, address=str(interface.ip), prefixlen=interface.network.prefixlen, **extra
        )
    except NetlinkError as error:
        raise fail(f"{link.namespace}/{device}", f"address {text}: {command}: {error.args[-1]}") from None


def set_gateway(link: Session, gateway: str) -> None:
    """Sets the default route. Raises LabError if the gateway is on none of the namespace's subnets."""
    family = {"dst": "default" if ":" not in gateway else "::/0"}
    try:
        link.socket.route("replace", gateway=gateway, **family)
    except NetlinkError as error:
        raise fail(
            f"{link.namespace} gateway {gateway}",
            error.args[-1],
            "it must be in a subnet of the host's addresses",
        ) from None
