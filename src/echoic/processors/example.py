"""Requests by example: a query computed from a sound, in place of a label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echoic.audio.activity import active_spans
from echoic.checks import as_channels, check_sample_rate
from echoic.ear.frontend import FrontEnd
from echoic.errors import ParameterError
from echoic.processors.conditioning import measure
from echoic.processors.detect import Detect
from echoic.processors.model import Model
from echoic.processors.network import Query
from echoic.processors.tag import rank
from echoic.streaming import block_samples, in_blocks, run

MIN_EXAMPLE_S, MAX_EXAMPLE_S = 0.02, 60.0


def check_example(
    wave: NDArray[np.floating], *, sample_rate: float
) -> tuple[NDArray[np.float32], list[tuple[float, float]]]:
    """Return the first minute of an example, loud enough, (channel, time); its active spans in s.

    Raises:
        ParameterError: not a wave, not a sample rate, shorter than 20 ms, or nothing sounds in it.
    """
    check_sample_rate(sample_rate)
    samples = as_channels(wave)[:, : round(MAX_EXAMPLE_S * sample_rate)]
    if samples.shape[1] < MIN_EXAMPLE_S * sample_rate:
        raise ParameterError(f"the example is too short: {samples.shape[1] / sample_rate:g} s")
    spans = active_spans(samples, sample_rate=sample_rate)
    if not spans:
        raise ParameterError("nothing sounds in the first minute of the example")
    (prepared,) = measure([samples], sample_rate=sample_rate).prepared([samples])
    return prepared, spans


def is_speech(model: Model, wave: NDArray[np.floating], *, sample_rate: float) -> bool:
    """Whether a model ranks speech above all other labels for an example."""
    samples, _ = check_example(wave, sample_rate=sample_rate)
    detect = Detect(sample_rate=sample_rate, model=model)
    blocks = in_blocks(samples, block_samples(sample_rate, len(samples)))
    return rank(run(detect, blocks), detect.labels, step_s=detect.step_s)[0][0] == "speech"


def hear_example(model: Model, wave: NDArray[np.floating], *, sample_rate: float) -> Query:
    """Compute the query for sounds like an example, which is a few seconds of a sound alone.

    Args:
        model: Model that the query is for.
        wave: The example; silent parts and anything after the first minute are ignored.
        sample_rate: Hz, 8 to 192 kHz.

    Shape:
        wave (time,) or (channel, time).

    Raises:
        ParameterError: not a wave, or nothing sounds in it.
    """
    samples, spans = check_example(wave, sample_rate=sample_rate)
    frames, _ = FrontEnd(sample_rate=sample_rate)(samples)
    n_steps = frames.shape[-1] // model.frames_per_step
    weight = np.full(n_steps, 1e-3, np.float32)  # not 0: if no whole step is active, all count
    step_s = model.step_s
    for onset_s, offset_s in spans:
        weight[int(onset_s / step_s) : int(np.ceil(offset_s / step_s))] = 1
    whole = frames[..., : n_steps * model.frames_per_step]
    return model.query(whole, weight)
