"""Style transfer of pictures, where the method comes from, with the same losses and optimiser.

It is included for comparison: what turns a picture into a painting turns a spectrogram into
noise. The network has random weights and works at several scales.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from echoic.errors import FileError, ParameterError
from echoic.outputs import fresh_file
from echoic.style.files import Restyled
from echoic.style.losses import gram, grams_loss, relative_error
from echoic.style.methods.task import content_weight
from echoic.style.networks import PictureNetwork
from echoic.style.optimise import OnStep, Outcome, Problem, Schedule, Term, minimise
from echoic.style.styling import check_seed

N_MAPS, CONTENT_LAYER, CONTENT_WEIGHT, RANGE_WEIGHT = (64, 64, 128, 128, 256), 2, 0.03, 1.0
N_STEPS, MAX_SIDE, MIN_SIDE = 200, 512, 32

Picture = NDArray[np.float32]  # (3, height, width), 0 to 1


def restyle_picture(
    content: Picture,
    style: Picture,
    *,
    strength: float = 0.5,
    seed: int = 0,
    n_steps: int = N_STEPS,
    on_step: OnStep | None = None,
) -> Outcome:
    """Restyle one picture in the style of another.

    Args:
        content: The picture to restyle.
        style: The picture whose style is used; of any size.
        strength: 0 (content) to 1 (all style).
        seed: Seed of the network's weights.
        n_steps: Evaluations of the losses.
        on_step: As for `minimise`.

    Shape:
        (3, height, width), 0 to 1 -> the same shape, as the `wave` of the outcome.

    Raises:
        ParameterError: a value outside of its range.

    References: Gatys, Ecker and Bethge (2016); random weights as in He, Wang and Hopcroft (2016).
    """
    for name, picture in (("content", content), ("style", style)):
        if picture.ndim != 3 or picture.shape[0] != 3 or min(picture.shape[1:]) < MIN_SIDE:
            raise ParameterError(
                f"{name} of shape {picture.shape} is not (3, height, width) from {MIN_SIDE} pixels"
            )
    if not 0 <= strength <= 1 or n_steps < 1:
        raise ParameterError(f"strength={strength!r}, n_steps={n_steps!r}: need 0 to 1, 1 or more")
    check_seed(seed)
    network = PictureNetwork.random(n_channels=3, n_maps=N_MAPS, seed=seed)
    shown, manner = (torch.from_numpy(p - np.float32(0.5)) for p in (content, style))
    with torch.no_grad():
        wanted = network(shown)[CONTENT_LAYER]
        grams = [gram(maps) for maps in network(manner)]

    terms = (
        Term("style", "style", 1.0, lambda view: grams_loss(view[1], grams)),
        Term(
            "content",
            "content",
            content_weight(strength, CONTENT_WEIGHT),
            lambda view: relative_error(view[1][CONTENT_LAYER], wanted),
        ),
        Term(
            "range",
            "penalty",
            RANGE_WEIGHT,
            lambda view: F.relu(view[0].abs() - 0.5).square().sum(),
        ),
    )
    problem = Problem(shown, lambda image: (image, network(image)), terms)
    outcome = minimise(problem, Schedule(n_steps=n_steps), on_step=on_step)
    outcome.wave = (outcome.wave + 0.5).clamp(0, 1)
    return outcome


def read_picture(path: str) -> Picture:
    """Read a picture as (3, height, width), 0 to 1, no side longer than 512 pixels, upright.

    Raises:
        FileError: it cannot be read.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            colours = ImageOps.exif_transpose(image).convert("RGB")
            colours.thumbnail((MAX_SIDE, MAX_SIDE))
            pixels = np.asarray(colours, np.float32) / 255
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise FileError(f"{path}: is no picture that can be read") from error
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def restyle_picture_file(
    content: str,
    style: str,
    output: str,
    *,
    strength: float = 0.5,
    n_steps: int | None = None,
    seed: int = 0,
    force: bool = False,
    advance: Callable[[float], None] = lambda _share: None,
) -> Restyled:
    """Restyle a picture file into another of at most 512 pixels a side, written atomically.

    Raises:
        FileError: a file cannot be read or written.
        ParameterError: as for `restyle_picture`.
    """
    from PIL import Image

    started, steps = time.process_time(), N_STEPS if n_steps is None else n_steps

    def on_step(_number: int, _losses: Any) -> None:
        advance(1 / steps)

    outcome = restyle_picture(
        read_picture(content),
        read_picture(style),
        strength=strength,
        seed=seed,
        n_steps=steps,
        on_step=on_step,
    )
    pixels = (outcome.wave.numpy().transpose(1, 2, 0) * 255).round().astype(np.uint8)
    kind = "PNG" if os.path.splitext(output)[1].lower() == ".png" else "JPEG"
    with fresh_file(output, force=force) as part:
        Image.fromarray(pixels).save(part, format=kind)
    return Restyled(
        len(outcome.losses),
        outcome.loss if outcome.losses else None,
        outcome.interrupted,
        time.process_time() - started,
    )
