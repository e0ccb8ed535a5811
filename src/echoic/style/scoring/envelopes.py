"""How much of the content's course in time is kept, and at what depth."""

from __future__ import annotations

from torch import Tensor

from echoic.style.depth import slopes, wide_envelopes


def envelope_scores(content: Tensor, result: Tensor, *, sample_rate: float) -> dict[str, float]:
    """Correlations of envelopes, and the depth.

    Returns:
        `env`: correlation of the broadband linear envelopes; `env6`: mean of
        the correlations in six bands; `depth`: see `echoic.style.depth`.
    """
    wanted, found = (wide_envelopes(wave, sample_rate=sample_rate) for wave in (content, result))
    broad = [bands.square().sum(0, keepdim=True).sqrt() for bands in (wanted, found)]
    return {
        "env": float(_correlation(*broad).mean()),
        "env6": float(_correlation(wanted, found).mean()),
        "depth": float(slopes(wanted, found).mean()),
    }


def _correlation(x: Tensor, y: Tensor) -> Tensor:
    x, y = (v - v.mean(-1, keepdim=True) for v in (x, y))
    return (x * y).sum(-1) / (x.norm(dim=-1) * y.norm(dim=-1)).clamp(min=1e-12)
