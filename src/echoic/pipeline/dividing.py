"""Divide a whole sound into parts with a processor, for `attend`, `denoise` and `voices`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from echoic.audio import Writer, open_writers
from echoic.errors import FileError
from echoic.outputs import FileSet, describe_os_error
from echoic.pipeline.sound import (
    NamedSound,
    SoundOnce,
    Wave,
    WaveSound,
    conditioning_of,
    ignore_progress,
)
from echoic.report.sounds import Shown, write_sounds_page
from echoic.streaming import Streaming, run

SOUND = "sound"
_NO_ENERGY = 1e-12


class Divides(Streaming[Any, Wave], Protocol):
    """A processor that divides a wave into parts: `Attend`, `Denoise`, `Voices`."""

    @property
    def parts(self) -> Sequence[str]:
        """Names of the parts."""

    @property
    def separate(self) -> Streaming[Any, Wave]:
        """Module that computes the signals from which `divide` makes the parts."""

    def divide(self, signals: Wave) -> Sequence[Wave]:
        """Return the parts, which add up to the sound."""


def divided(wave: NDArray[np.floating], module: Divides, *, sample_rate: int) -> list[Wave]:
    """The parts of a whole wave, sample-aligned, each of its shape.

    Raises:
        ParameterError: not a wave.
    """
    blocks = _divide(WaveSound(wave, sample_rate=sample_rate), module)
    return [
        np.concatenate(part, axis=-1).reshape(np.shape(wave)) for part in zip(*blocks, strict=True)
    ]


def _divide(
    sound: SoundOnce, module: Divides, advance: Callable[[float], None] = ignore_progress
) -> Iterator[Sequence[Wave]]:
    """Yield the parts of a sound block by block."""
    conditioning = conditioning_of(sound)
    for signals in run(module.separate, conditioning.prepared(sound.blocks(advance))):
        yield module.divide(conditioning.restored(signals))


def divide_into(
    files: Iterable[tuple[str, str]],
    sound: SoundOnce,
    module: Divides,
    *,
    force: bool = False,
    advance: Callable[[float], None] = ignore_progress,
) -> dict[str, float]:
    """Divide a sound, read block by block, and write its parts to files, all or none.

    Args:
        files: (part, file) pairs of the requested parts; `SOUND` is the sum of all parts.
        sound: Read once.
        module: Processor for the sound's sample rate.
        force: Whether existing files may be replaced.
        advance: Called with the duration of each block in seconds, once it is processed.

    Returns:
        {part: level in dB re the sound}, of all parts.
    """
    with _writers(files, sound, force=force) as writers:
        return _write(writers, sound, module, advance)


@contextmanager
def _writers(
    files: Iterable[tuple[str, str]], sound: SoundOnce, **how: Any
) -> Iterator[list[tuple[str, Writer]]]:
    """Open a file for each part; yield (part, writer) pairs."""
    wanted = [*files]
    with open_writers(
        [path for _, path in wanted],
        sample_rate=sound.sample_rate,
        channels=sound.n_channels,
        frames=sound.n_samples,
        **how,
    ) as writers:
        yield [(part, writer) for (part, _), writer in zip(wanted, writers, strict=True)]


def _write(
    writers: Sequence[tuple[str, Writer]],
    sound: SoundOnce,
    module: Divides,
    advance: Callable[[float], None],
) -> dict[str, float]:
    """Write the parts of a sound; return the level of each."""
    energy = dict.fromkeys((*module.parts, SOUND), 0.0)
    for parts in _divide(sound, module, advance):
        waves = dict(zip(module.parts, parts, strict=True))
        waves[SOUND] = np.sum([*waves.values()], axis=0)
        for part, wave in waves.items():
            energy[part] += float(np.vdot(wave, wave))
        for part, writer in writers:
            writer.write(waves[part])
    return {
        part: 10 * math.log10((energy[part] + _NO_ENERGY) / (energy[SOUND] + _NO_ENERGY))
        for part in module.parts
    }


def divide_and_report(
    files: Iterable[tuple[str, str]],
    sound: NamedSound,
    module: Divides,
    *,
    report: Path,
    kicker: str,
    asked: Mapping[str, object],
    force: bool = False,
    advance: Callable[[float], None] = ignore_progress,
) -> dict[str, float]:
    """As `divide_into`, and write a page with players and cochleagrams of the sound and its parts.

    Args:
        files: (part, file) pairs of the requested parts.
        sound: Read once.
        module: Processor for the sound's sample rate.
        report: The page.
        kicker: Subject of the page, in a few words.
        asked: Options to show on the page, {name: value}.
        force: Whether existing files and an existing page may be replaced.
        advance: Called with the duration of each block in seconds, once it is processed.
    """
    # The page reads sounds from files, which some of them do not have, so all get a temporary
    # copy. The copies lie beside the page: a disk that hours of sound are written to has room for
    # them, memory may not.
    with FileSet() as together, _folder_beside(report) as folder:
        copies = {name: f"{folder}/{name}.wav" for name in (SOUND, *module.parts)}
        with (
            _writers(files, sound, force=force, together=together) as wanted,
            _writers(copies.items(), sound) as copied,
        ):
            levels_db = _write([*wanted, *copied], sound, module, advance)
        hints = dict.fromkeys(copies, "") | {
            SOUND: "what went in",
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
            together=together,
        )
    return levels_db


@contextmanager
def _folder_beside(report: Path) -> Iterator[str]:
    """A temporary folder; errors of files in it name the report.

    Raises:
        FileError: it cannot be created or written to.
    """
    folder = ""
    try:
        with TemporaryDirectory(prefix=".echoic-", suffix=".part", dir=report.parent) as folder:
            yield folder
    except FileError as error:
        if folder and folder in str(error):
            words = str(error).rpartition(": ")[2]
            raise FileError(f"{report}: cannot be written: {words}") from error
        raise
    except OSError as error:
        if folder:
            raise
        raise FileError(f"{report}: cannot be written: {describe_os_error(error)}") from error
