"""Audio mosaicing: rebuild the content from frames of the style. No network, no gradient."""

from __future__ import annotations

import torch
from torch import Tensor

from echoic.style.methods.task import Task
from echoic.style.spectrogram import LogSpectrogram

N_UPDATES, N_GRIFFIN_LIM = 60, 30
MAX_AT_ONCE = 10
REPETITION_FRAMES = 3
CONTINUITY_FRAMES = 3


def musaicing(task: Task) -> Tensor:
    """Find activations of the style's frames that explain the content's spectrogram.

    Multiplicative Kullback-Leibler updates with the style's frames as a fixed basis; over the
    steps, repetitions and simultaneous frames are reduced, and runs of consecutive frames
    promoted. The complex frames are summed, and their phases refined by Griffin and Lim's
    iteration.

    References: Driedger, Prätzlich and Müller (2015), "Let it bee", ISMIR, section 3.
    """
    spectrogram = LogSpectrogram(sample_rate=task.sample_rate, window_s=0.093)
    frames = spectrogram.stft(task.style)
    wanted = spectrogram.stft(task.content).abs() + 1e-6
    basis = frames.abs() + 1e-6
    norm = basis.sum(0, keepdim=True)
    basis = basis / norm
    active = torch.rand(basis.shape[1], wanted.shape[1], generator=task.generator()) + 1e-3
    for step in range(N_UPDATES):
        if step:
            share = step / (N_UPDATES - 1)
            active = _fewer_repetitions(active, share)
            active = _fewer_at_once(active, share)
            active = _more_runs(active)
        active = active * (basis.T @ (wanted / (basis @ active + 1e-12)))
    spectrum = (frames / norm) @ active.to(frames.dtype)
    return spectrogram.retrieve(spectrum, task.content.shape[-1])


def _fewer_repetitions(active: Tensor, share: float) -> Tensor:
    size = 2 * REPETITION_FRAMES + 1
    highest = torch.nn.functional.max_pool1d(active[None], size, 1, REPETITION_FRAMES)[0]
    return torch.where(active >= highest, active, active * (1 - share))


def _fewer_at_once(active: Tensor, share: float) -> Tensor:
    least = active.topk(min(MAX_AT_ONCE, active.shape[0]), dim=0).values[-1:]
    return torch.where(active >= least, active, active * (1 - share))


def _more_runs(active: Tensor) -> Tensor:
    """Sum along diagonals, so that consecutive frames of the style stay consecutive."""
    half = CONTINUITY_FRAMES // 2
    out = torch.zeros_like(active)
    for shift in range(-half, half + 1):
        rows, columns = active.shape
        if abs(shift) >= min(rows, columns):
            continue
        a, b = max(shift, 0), max(-shift, 0)
        out[a : rows - b, a : columns - b] += active[b : rows - a, b : columns - a]
    return out
