"""The topology file as it is written: its keys and their types, and nothing about what they mean together.

pydantic checks the shapes; `parse` turns its findings into problems of ours, with the field's path and the
way out. What the fields mean together (links that lead nowhere, addresses used twice) is `check.py`'s.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from lab.errors import Problem, TopologyError
from lab.topology.units import parse_delay, parse_loss, parse_rate

BOTH = "*"
"""Key that stands for both directions, or for the one host of a link."""


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HostSpec(_Spec):
    """A network namespace whose kernel talks."""

    gateway: str | None = None


class PollSpec(_Spec):
    """How the ringside datapath waits for packets."""

    mode: Literal["adaptive", "busy"] = "adaptive"
    spin_us: Annotated[int, Field(ge=0, le=1_000_000)] = 100
    cpu: Annotated[int, Field(ge=0)] | None = None


class SwitchSpec(_Spec):
    """A network namespace in which a datapath forwards."""

    datapath: Literal["ringside", "linux-bridge"] = "ringside"
    poll: PollSpec = PollSpec()
    flows: tuple[str, ...] | None = None
    addresses: tuple[str, ...] = ()


Vid = Annotated[int, Field(ge=1, le=4094, strict=True)]


class VlanSpec(_Spec):
    """What a link's switch ends carry. No VLAN at all: everything passes, tagged or not."""

    access: Vid | None = None
    trunk: tuple[Vid, ...] | None = None
    native: Vid | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_number_is_access(cls, value: object) -> object:
        return {"access": value} if isinstance(value, int) else value


class ImpairSpec(_Spec):
    """What happens to packets in one direction of a link: microseconds, per cent, bits a second."""

    delay: Annotated[int | None, BeforeValidator(parse_delay)] = None
    loss: Annotated[float | None, BeforeValidator(parse_loss)] = None
    rate: Annotated[int | None, BeforeValidator(parse_rate)] = None


class LinkSpec(_Spec):
    """A veth pair between two nodes."""

    ends: Annotated[tuple[str, ...], Field(min_length=2, max_length=2)]
    mtu: Annotated[int, Field(ge=68, le=65535, strict=True)] = 1500
    queues: Annotated[int, Field(ge=1, le=64, strict=True)] = 1
    mode: Literal["auto", "zero-copy", "native", "generic"] = "auto"
    offload: Literal["auto", "software"] = "auto"
    vlan: VlanSpec | None = None
    addresses: Mapping[str, tuple[str, ...]] = {}
    impair: Mapping[str, ImpairSpec] = {}

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        value = dict(value)
        if isinstance(value.get("addresses"), Sequence):
            one = value["addresses"]
            value["addresses"] = {BOTH: [one] if isinstance(one, str) else one}
        impair = value.get("impair")
        if isinstance(impair, dict) and not any("->" in str(key) for key in impair):
            value["impair"] = {BOTH: impair}
        return value


class TopologySpec(_Spec):
    """The file."""

    name: str
    hosts: Mapping[str, HostSpec] = {}
    switches: Mapping[str, SwitchSpec] = {}
    links: tuple[LinkSpec, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _empty_nodes(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        value = dict(value)
        for key in ("hosts", "switches"):
            if isinstance(value.get(key), dict):
                value[key] = {name: {} if node is None else node for name, node in value[key].items()}
        return value


# What to write instead, by the last named key of a path.
_WANTED = {
    "name": "a name for the topology, such as pair",
    "hosts": "a mapping of names, such as {h1: {}, h2: {}}",
    "switches": "a mapping of names, such as {s1: {datapath: ringside}}",
    "links": "a list of links, such as [{ends: [h1, s1]}]",
    "ends": "the names of the two nodes, such as [h1, s1]",
    "mtu": "a whole number of bytes, 68 to 65535",
    "queues": "a whole number of queue pairs, 1 to 64",
    "mode": "auto, zero-copy, native or generic",
    "offload": "auto (checksums made in the host) or software (made in the switch)",
    "vlan": "10, {access: 10} or {trunk: [10, 20], native: 1}",
    "access": "a VLAN number, 1 to 4094",
    "native": "a VLAN number, 1 to 4094",
    "trunk": "a list of VLAN numbers, each 1 to 4094",
    "addresses": "a list such as [10.0.0.1/24, 'fd00::1/64'], or one for each host: {h1: [10.0.0.1/24]}",
    "impair": "{delay: 10ms, loss: 1%, rate: 100mbit}, or one for a direction: {h1->s1: {rate: 100mbit}}",
    "delay": "a time such as 10ms",
    "loss": "a share such as 1%",
    "rate": "a rate such as 100mbit",
    "datapath": "ringside or linux-bridge",
    "spin_us": "a whole number of microseconds, 0 to 1000000",
    "cpu": "the number of a processor core",
    "flows": "a list of rules, such as ['priority=0,actions=NORMAL']",
    "gateway": "an address, such as 10.0.0.254",
}

_KEYS: dict[str, type[_Spec]] = {
    "hosts": HostSpec,
    "switches": SwitchSpec,
    "links": LinkSpec,
    "vlan": VlanSpec,
    "impair": ImpairSpec,
    "poll": PollSpec,
}


def parse(document: object, source: str) -> TopologySpec:
    """Checks the shape of a document. Raises TopologyError with every problem at once."""
    if not isinstance(document, dict):
        found = "is empty" if document is None else f"is a {type(document).__name__}, not a mapping"
        raise TopologyError(Problem(source, found, "start from lab/topologies/pair.yaml"))
    try:
        return TopologySpec.model_validate(document)
    except ValidationError as error:
        raise TopologyError(*(_problem(dict(item)) for item in error.errors(include_url=False))) from None


def field_path(location: Sequence[str | int]) -> str:
    """`('links', 1, 'mtu')` → `links[1].mtu`."""
    path = ""
    for step in location:
        if step == BOTH:
            continue
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def _problem(error: dict[str, Any]) -> Problem:
    location: tuple[str | int, ...] = error["loc"]
    path, found = field_path(location), error["input"]
    named = [step for step in location if isinstance(step, str) and step in _WANTED]
    way_out = f"write {_WANTED[named[-1]]}" if named else ""
    if error["type"] == "extra_forbidden":
        return Problem(path, "unknown key", _near_key(location))
    if error["type"] == "missing":
        return Problem(path, "is missing", way_out)
    if error["type"] == "value_error":
        return Problem(path, f"found {found!r}, which {error['ctx']['error']}", way_out)
    if error["type"] in ("too_short", "too_long") and named[-1:] == ["ends"]:
        return Problem(path, f"names {len(found)} nodes, not two: {list(found)!r}", way_out)
    if isinstance(found, dict | list) and len(repr(found)) > 60:
        found_text = f"a {'mapping' if isinstance(found, dict) else 'list'}"
    else:
        found_text = repr(found)
    return Problem(path, f"found {found_text}: {_in_words(error)}", way_out)


def _in_words(error: dict[str, Any]) -> str:
    message = str(error["msg"]).removeprefix("Input should be ")
    return f"should be {message}" if message != error["msg"] else message


def _near_key(location: tuple[str | int, ...]) -> str:
    model: type[_Spec] = TopologySpec
    for step in location[:-1]:
        model = _KEYS.get(str(step), model)
    known = list(model.model_fields)
    near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    return (f"did you mean {near[0]!r}? " if near else "") + f"known keys: {', '.join(known)}"
