"""The probes, one kernel area per file; ALL_FEATURES is every record of them."""

from kernel_compat.feature import Feature
from kernel_compat.probes import af_xdp, bpf_host, links, netns, tc, tun, xdp_attach

ALL_FEATURES: tuple[Feature, ...] = (
    *netns.FEATURES,
    *links.FEATURES,
    *af_xdp.FEATURES,
    *xdp_attach.FEATURES,
    *tun.FEATURES,
    *tc.FEATURES,
    *bpf_host.FEATURES,
)
