"""The drawings."""

from lab.graph import as_dot, as_text
from lab.topology.load import load, loads


def test_pair_as_a_tree() -> None:
    assert as_text(load("pair"), "pair: up") == (
        "pair: up\n\ns1 (ringside)\n├── h1  10.0.0.1/24 fd00::1/64\n└── h2  10.0.0.2/24 fd00::2/64"
    )


def test_chain_hangs_the_second_switch_on_the_first() -> None:
    assert as_text(load("chain"), "chain").splitlines()[2:] == [
        "s1 (ringside)",
        "├── h1  10.0.0.1/24 fd00::1/64",
        "└── s2 (ringside)",
        "    └── h2  10.0.0.2/24 fd00::2/64",
    ]


def test_links_tell_what_is_special_about_them() -> None:
    text = (
        "name: t\nhosts: {h1: }\nswitches: {s1: }\n"
        "links: [{ends: [h1, s1], mtu: 1400, queues: 2, vlan: 10, impair: {h1->s1: {rate: 1mbit}}}]"
    )
    assert "[access 10, MTU 1400, 2 queues, h1→s1 1 Mbit/s (tbf)]" in as_text(loads(text), "t")


def test_dot_has_every_node_and_link_once() -> None:
    dot = as_dot(load("vlan"), 'a "quoted" title')
    assert dot.count(" -- ") == 5
    assert all(dot.count(f'  "{node}" [') == 1 for node in ("h1", "h2", "h3", "h4", "s1", "s2"))
    assert 'label="a \\"quoted\\" title"' in dot
