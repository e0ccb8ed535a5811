"""A part of a whole sound, picked out by a processor: what attending and denoising share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from echoic.audio import open_writer
from echoic.pipeline.sound import NamedSound, Sound, Wave, WaveSound, no_one
from echoic.report.sounds import Shown, write_sounds_page
from echoic.streaming import Streaming, run

SOUND, KEPT, LEFT_OUT = "sound", "kept", "left out"


class Selects(Streaming[Any, Wave], Protocol):
    """A processor that keeps a part of a wave: `Attend`, `Denoise`."""

    @property
    def separate(self) -> Streaming[Any, Wave]:
        """What gives the signals that it chooses among."""

    def divide(self, signals: Wave) -> tuple[Wave, Wave]:
        """What is kept of the signals, and what is not; both add up to the sound."""


def select(wave: NDArray[np.floating], module: Selects, *, sample_rate: int) -> Wave:
    """What a processor keeps of a whole wave, sample-aligned, same shape.

    Raises:
        ParameterError: not a wave.
    """
    sound = WaveSound(wave, sample_rate=sample_rate)
    whole = np.concatenate(list(run(module, sound.blocks())), axis=-1)
    return whole.reshape(np.shape(wave))


def select_into(
    path: str,
    sound: Sound,
    module: Selects,
    *,
    rest: str | None = None,
    force: bool = False,
    advance: Callable[[float], None] = no_one,
) -> None:
    """As `select`, of a sound that is read block by block, into files that appear whole.

    Args:
        path: Takes what is kept.
        sound: Read once.
        module: Made for the sound's rate.
        rest: Takes what is not kept, if it is wanted; both add up to the sound.
        force: Whether files that are there already may be replaced.
        advance: Takes the seconds that are done.
    """
    _write_parts(_asked_for(path, rest), sound, module, force=force, advance=advance)


def select_and_report(
    path: str,
    sound: NamedSound,
    module: Selects,
    *,
    report: Path,
    kicker: str,
    asked: Mapping[str, object],
    rest: str | None = None,
    force: bool = False,
    advance: Callable[[float], None] = no_one,
) -> None:
    """As `select_into`, with a page to hear and to see what was kept and what was left out.

    Args:
        path: As there, like all that is not said here.
        sound: As there.
        module: As there.
        report: The page.
        kicker: What it is about, in a few words.
        asked: What was asked for, {name: value}.
        rest: As there.
        force: As there, for the page too.
        advance: As there.
    """
    with TemporaryDirectory() as folder:
        # The page reads sounds from files, and of some there is no other.
        copies = {name: f"{folder}/{name}.wav" for name in (SOUND, KEPT, LEFT_OUT)}
        wanted = [(copy, name) for name, copy in copies.items()]
        _write_parts(_asked_for(path, rest) + wanted, sound, module, force=force, advance=advance)
        write_sounds_page(
            report,
            kicker=kicker,
            title=sound.name,
            sounds=[
                Shown(SOUND, "what went in", Path(copies[SOUND])),
                Shown(KEPT, "what came out", Path(copies[KEPT])),
                Shown(LEFT_OUT, "both add up to what went in", Path(copies[LEFT_OUT])),
            ],
            chosen=1,
            n_given=1,
            facts=asked,
            force=force,
        )


def _asked_for(path: str, rest: str | None) -> list[tuple[str, str]]:
    """Files and what goes into them."""
    return [(path, KEPT)] + ([] if rest is None else [(rest, LEFT_OUT)])


def _write_parts(
    wanted: Sequence[tuple[str, str]],
    sound: Sound,
    module: Selects,
    *,
    force: bool,
    advance: Callable[[float], None],
) -> None:
    """Write (file, part) pairs, block by block."""
    with ExitStack() as stack:
        writers = [
            (
                part,
                stack.enter_context(
                    open_writer(
                        file,
                        sample_rate=sound.sample_rate,
                        channels=sound.n_channels,
                        frames=sound.n_samples,
                        force=force,
                    )
                ),
            )
            for file, part in wanted
        ]
        for signals in run(module.separate, sound.blocks(advance)):
            parts = dict(zip((KEPT, LEFT_OUT), module.divide(signals), strict=True))
            for part, writer in writers:
                writer.write(parts[KEPT] + parts[LEFT_OUT] if part == SOUND else parts[part])
