"""All methods, each a small problem definition for the common optimiser, or a direct solution."""

from __future__ import annotations

from functools import partial

from echoic.style.methods.channels import antognini, complex_spectrum, grinstein, ulyanov, wyse
from echoic.style.methods.controls import vocoder, vocoder_own
from echoic.style.methods.listening import hearing
from echoic.style.methods.mcdermott import mcdermott
from echoic.style.methods.mosaic import musaicing
from echoic.style.methods.picture import N_MAPS, gatys, li, verma_smith, wyse_image
from echoic.style.methods.task import LEVEL, Method, Task
from echoic.style.networks import LayersNeeded
from echoic.style.optimise import Schedule

_LI = "Li, Wang, Liu and Hou 2017"
_FIVE_OF_PICTURES = LayersNeeded(len(N_MAPS), n_axes=4)

METHODS: dict[str, Method] = {
    "hearing": Method(
        "ours: the ear's statistics, and the content's course in each band",
        hearing,
        schedule=Schedule(n_rounds=4),
    ),
    "gatys": Method(
        "Gram matrices of 2-D convolutions, as on a picture",
        gatys,
        layers=_FIVE_OF_PICTURES,
        domain="published",
        reference="Gatys, Ecker and Bethge 2016",
    ),
    **{
        f"li-{kernel}": Method(
            f"the same with {words}",
            partial(li, kernel=kernel),
            layers=_FIVE_OF_PICTURES,
            schedule=Schedule(n_rounds=15 if kernel == "gaussian" else 1),
            domain="published",
            reference=_LI,
        )
        for kernel, words in {
            "linear": "means only",
            "polynomial": "a polynomial kernel",
            "gaussian": "a Gaussian kernel",
            "moments": "means and deviations",
        }.items()
    },
    "verma-smith": Method(
        "Gram matrices and the style's energy envelopes",
        verma_smith,
        layers=_FIVE_OF_PICTURES,
        domain="published",
        reference="Verma and Smith 2018",
    ),
    "wyse": Method(
        "two layers with frequencies as channels",
        wyse,
        layers=LayersNeeded(2, n_axes=3),
        schedule=Schedule("adam"),
        domain="published",
        reference="Wyse 2017",
    ),
    "wyse-image": Method(
        "two layers over an image of decibels",
        wyse_image,
        layers=LayersNeeded(2, n_axes=4),
        schedule=Schedule("adam"),
        domain="published",
        reference="Wyse 2017",
    ),
    "ulyanov": Method(
        "one wide random layer with frequencies as channels",
        ulyanov,
        domain="published",
        reference="Ulyanov and Lebedev 2016",
    ),
    "ulyanov-1024": Method(
        "the same with a quarter of the filters",
        partial(ulyanov, n_filters=1024),
        domain="published",
        reference="Ulyanov and Lebedev 2016",
    ),
    "grinstein": Method(
        "a wide random layer, from the content, without a content loss",
        grinstein,
        schedule=Schedule(n_steps=100),
        domain="published",
        has_strength=False,
        reference="Grinstein, Duong, Ozerov and Pérez 2018",
    ),
    "mcdermott": Method(
        "texture statistics imposed on the content",
        mcdermott,
        schedule=Schedule(n_steps=200),
        has_strength=False,
        reference="McDermott and Simoncelli 2011",
    ),
    "antognini": Method(
        "random layers of several widths, with rhythm",
        antognini,
        domain="published",
        reference="Antognini, Hoffman and Weiss 2019",
    ),
    "complex": Method(
        "random layers over real and imaginary parts",
        complex_spectrum,
        reference="Caracalla and Roebel 2020",
    ),
    "musaicing": Method(
        "the content laid out of frames of the style",
        solve=musaicing,
        has_strength=False,
        reference="Driedger, Prätzlich and Müller 2015",
    ),
    "vocoder": Method(
        "control: noise of the style's spectrum with the content's envelopes", solve=vocoder
    ),
    "vocoder-own": Method(
        "control: the style itself with the content's envelopes", solve=vocoder_own
    ),
}

__all__ = ["LEVEL", "METHODS", "Method", "Task"]
