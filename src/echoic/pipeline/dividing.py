"""A whole sound divided into parts by a processor: what attend, denoise and voices share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from echoic.audio import open_writer
from echoic.pipeline.sound import NamedSound, SoundOnce, Wave, WaveSound, no_one
from echoic.report.sounds import Shown, write_sounds_page
from echoic.streaming import Streaming, run

_SOUND = "sound"


class Divides(Streaming[Any, Wave], Protocol):
    """A processor that divides a wave into parts: `Attend`, `Denoise`, `Voices`."""

    @property
    def parts(self) -> Sequence[str]:
        """Names of the parts."""

    @property
    def separate(self) -> Streaming[Any, Wave]:
        """What gives the signals that the parts are made of."""

    def divide(self, signals: Wave) -> Sequence[Wave]:
        """The parts that signals make; they add up to the sound."""


def processed(
    wave: NDArray[np.floating], module: Streaming[Any, Wave], *, sample_rate: int
) -> Wave:
    """What a processor makes of a whole wave, sample-aligned, (…,) and the shape of the wave.

    Raises:
        ParameterError: not a wave.
    """
    sound = WaveSound(wave, sample_rate=sample_rate)
    whole = np.concatenate(list(run(module, sound.blocks())), axis=-1)
    return whole.reshape(*whole.shape[:-2], *np.shape(wave))


def divide_into(
    files: Mapping[str, str],
    sound: SoundOnce,
    module: Divides,
    *,
    force: bool = False,
    advance: Callable[[float], None] = no_one,
) -> None:
    """Divide a sound, read block by block, into files that appear whole.

    Args:
        files: {part: file} of the parts that are wanted.
        sound: Read once.
        module: Made for the sound's rate.
        force: Whether files that are there already may be replaced.
        advance: Takes the seconds that are done.
    """
    _write_parts([*files.items()], sound, module, force=force, advance=advance)


def divide_and_report(
    files: Mapping[str, str],
    sound: NamedSound,
    module: Divides,
    *,
    report: Path,
    kicker: str,
    asked: Mapping[str, object],
    force: bool = False,
    advance: Callable[[float], None] = no_one,
) -> None:
    """As `divide_into`, with a page to hear and to see the sound and its parts.

    Args:
        files: {part: file} of the parts that are wanted.
        sound: Read once.
        module: Made for the sound's rate.
        report: The page.
        kicker: What it is about, in a few words.
        asked: What was asked for, {name: value}.
        force: Whether files and a page that are there already may be replaced.
        advance: Takes the seconds that are done.
    """
    # The page reads sounds from files, and of some there is no other. They lie beside the page:
    # where hours of sound are written there is room for them, as there may not be in memory.
    with TemporaryDirectory(prefix=".echoic-", suffix=".part", dir=report.parent) as folder:
        copies = {name: f"{folder}/{name}.wav" for name in (_SOUND, *module.parts)}
        wanted = [*files.items(), *copies.items()]
        _write_parts(wanted, sound, module, force=force, advance=advance)
        hints = dict.fromkeys(copies, "") | {
            _SOUND: "what went in",
            module.parts[-1]: "the parts add up to what went in",
        }
        write_sounds_page(
            report,
            kicker=kicker,
            title=sound.name,
            sounds=[Shown(name, hints[name], Path(copy)) for name, copy in copies.items()],
            chosen=1,
            n_given=1,
            facts=asked,
            force=force,
        )


def _write_parts(
    wanted: Sequence[tuple[str, str]],
    sound: SoundOnce,
    module: Divides,
    *,
    force: bool,
    advance: Callable[[float], None],
) -> None:
    """Write (part, file) pairs, block by block; all parts together are the sound."""
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
            for part, file in wanted
        ]
        for signals in run(module.separate, sound.blocks(advance)):
            waves = dict(zip(module.parts, module.divide(signals), strict=True))
            for part, writer in writers:
                writer.write(np.sum([*waves.values()], axis=0) if part == _SOUND else waves[part])
