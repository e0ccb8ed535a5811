"""Write audio files, whole or block by block; complete or not at all.

Samples are neither normalised nor dithered; those beyond the range of the coding
are clipped, with a warning. Files have a temporary name until they are complete
(`echoic.outputs`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from echoic.audio.codings import check_fits_float32, checked_wave, choose_format, is_too_long
from echoic.audio.opening import STDIN, AudioPath
from echoic.audio.rf64 import become_wav
from echoic.audio.sink import Sink
from echoic.audio.wav_pipe import WavPipe
from echoic.checks import (
    MAX_CHANNELS,
    MAX_SAMPLE_RATE,
    MIN_SAMPLE_RATE,
    check_count,
    check_number,
    check_whole,
    warn,
)
from echoic.errors import AudioError, FileError, ParameterError
from echoic.outputs import FileSet, describe_os_error, file_set, fresh_file

_PIECE_SAMPLES = 1 << 16
# The largest value of an integer coding is below full scale, and where libsndfile does not clip
# by itself, larger ones would wrap round. Perceptual encoders take floats, but fail from some
# thousand times full scale on, LAME by ending the process.
_LARGEST = {"FLOAT": np.inf, "DOUBLE": np.inf, "VORBIS": 100, "OPUS": 100, "MPEG_LAYER_III": 100}

_GRID = {"PCM_S8": 2.0**7, "PCM_U8": 2.0**7, "PCM_16": 2.0**15, "PCM_24": 2.0**23}


class Writer:
    """A file being written; created by `open_writer`.

    Attributes:
        path: Final path of the file.
        n_written: Samples per channel written so far.
    """

    def __init__(
        self,
        path: AudioPath,
        sound: soundfile.SoundFile | WavPipe,
        sink: Sink,
        *,
        as_wav: bool = False,
    ) -> None:
        self.path = path
        self.n_written = 0
        self._as_wav = as_wav  # whether an RF64 that fits into a WAV becomes one
        self._sound = sound
        self._sink = sink
        of_integers = 1.0 if sound.subtype.startswith("PCM") else 1 - 2**-15
        self._largest = _LARGEST.get(sound.subtype, of_integers)
        # libsndfile truncates to integers, except for FLAC.
        self._grid = 0.0 if sound.format == "FLAC" else _GRID.get(sound.subtype, 0.0)
        self._n_clipped = 0

    def write(self, block: npt.NDArray[np.floating[Any]]) -> None:
        """Append a block of samples.

        Args:
            block: Floats, full scale at ±1; any length, 0 included.

        Shape:
            block (channel, time); (time,) for one channel.

        Raises:
            ParameterError: Not floats, a wrong number of channels, or samples
                that are NaN, infinite or too large for the coding.
            AudioError: Writing fails, for example because the disk is full, or
                an AIFF, or a WAV of a known number of frames, would exceed 4 GB; or the
                `with` block of `open_writer` has ended.
        """
        if self._sink.closed:
            raise self._failure("its with block has ended")
        wave = checked_wave(block, self._sound.channels)
        n_samples = self.n_written + wave.shape[-1]
        sound = self._sound
        if is_too_long(sound.format, n_samples, sound.channels, sound.subtype):
            raise AudioError(
                f"{self.path}: {n_samples} samples do not fit into the 4 GB of {sound.format}; "
                "a .wav that is opened without the number of frames holds them"
            )
        if sound.subtype == "FLOAT" and wave.dtype == np.float64:
            check_fits_float32(wave)
        if n_above := int(np.count_nonzero(np.abs(wave) > self._largest)):
            self._n_clipped += n_above
            wave = np.clip(wave, -self._largest, self._largest)
        if self._grid:
            wave = np.round(wave * self._grid) / self._grid
        # In pieces: libsndfile keeps the input of the Vorbis encoder on the stack.
        for start in range(0, wave.shape[-1], _PIECE_SAMPLES):
            self._write_piece(wave[:, start : start + _PIECE_SAMPLES])
        self.n_written = n_samples

    def _write_piece(self, wave: npt.NDArray[np.floating[Any]]) -> None:
        try:
            self._sound.write(np.ascontiguousarray(wave.T))
        except (soundfile.LibsndfileError, AssertionError) as error:
            raise self._failure(str(error)) from error
        if self._sink.error is not None:
            raise self._failure("")

    def _complete(self) -> None:
        """Let the encoder finish the file; an OS error at this point raises as well."""
        sound = self._sound
        sound.close()
        if self._as_wav and not is_too_long("WAV", self.n_written, sound.channels, sound.subtype):
            become_wav(self._sink)
        self._sink.flush()
        if self._sink.error is not None:
            raise self._failure("")
        if self.n_written == 0:
            raise AudioError(f"{self.path}: no samples to write")
        if self._n_clipped:
            limit = "full scale" if self._largest <= 1 else f"{self._largest:g} × full scale"
            warn(f"{self.path}: {self._n_clipped} samples above {limit} are clipped")

    def _failure(self, words: str) -> AudioError:
        if self._sink.error is not None:
            words = describe_os_error(self._sink.error)
        return AudioError(f"{self.path}: cannot be written: {words}")


def write(
    path: AudioPath,
    wave: npt.NDArray[np.floating[Any]],
    *,
    sample_rate: int,
    subtype: str | None = None,
    force: bool = False,
) -> None:
    """Write a whole audio file.

    Args:
        path: Its suffix chooses the container: .wav (RF64 above 4 GB), .flac,
            .ogg, .mp3, .aiff, .rf64 or .w64. "-" is standard output, to which
            WAV in 32-bit floats is streamed.
        wave: Floats, full scale at ±1.
        sample_rate: Hz, 8 to 192 kHz.
        subtype: Coding of the samples, libsndfile name in any case. None: the most precise
            that the container holds, "FLOAT" where possible.
        force: Whether an existing file may be replaced.

    Shape:
        wave (channel, time); (time,) for one channel.

    Raises:
        ParameterError: The wave is not floats, contains NaN, has more than two
            axes, or more channels than samples, as when its axes are exchanged; the
            sample rate is out of range.
        AudioError: The file exists and `force` is false, the folder is missing
            or unwritable, the disk full, the suffix or subtype unknown, or the
            sample rate not possible in FLAC.

    Example:
        >>> import tempfile
        >>> path = tempfile.mkdtemp() + "/silence.flac"
        >>> write(path, np.zeros((2, 800), np.float32), sample_rate=16_000)
        >>> write(path, np.zeros((2, 800), np.float32), sample_rate=16_000)
        Traceback (most recent call last):
        ...
        echoic.errors.AudioError: ...silence.flac: exists already (force replaces it)
    """
    channels = wave.shape[0] if isinstance(wave, np.ndarray) and wave.ndim == 2 else 1
    checked_wave(wave, channels)  # before a file is opened
    # A single sample of several channels may be meant; none at all is an `AudioError` below.
    if channels > MAX_CHANNELS or wave.shape[-1] > 1:
        check_whole(wave.shape)
    with open_writer(
        path,
        sample_rate=sample_rate,
        channels=channels,
        frames=wave.shape[-1],
        subtype=subtype,
        force=force,
    ) as writer:
        writer.write(wave)


@contextmanager
def open_writer(
    path: AudioPath,
    *,
    sample_rate: int,
    channels: int,
    frames: int | None = None,
    subtype: str | None = None,
    force: bool = False,
    together: FileSet | None = None,
) -> Iterator[Writer]:
    """Write an audio file block by block.

    The file appears under its name when the `with` block succeeds; if it raises,
    Ctrl-C included, nothing is left behind and an existing file is unchanged.

    Args:
        path: As for `write`.
        sample_rate: Hz, 8 to 192 kHz.
        channels: Number of channels.
        frames: Samples per channel to come, if known. A .wav that exceeds
            4 GB becomes an RF64.
        subtype: As for `write`.
        force: As for `write`.
        together: The set of files that it appears with; None: alone.

    Raises:
        ParameterError, AudioError: As for `write`.

    Example:
        >>> import tempfile
        >>> path = tempfile.mkdtemp() + "/long.wav"
        >>> with open_writer(path, sample_rate=16_000, channels=1) as writer:
        ...     for _ in range(3):
        ...         writer.write(np.zeros((1, 100), np.float32))
        >>> writer.n_written
        300
    """
    check_number(sample_rate, name="sample_rate")
    check_count(channels, name="channels")
    if frames is not None:
        check_count(frames, name="frames", lowest=0)
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE or sample_rate != int(sample_rate):
        raise ParameterError(
            f"sample_rate={sample_rate} is not an integer from {MIN_SAMPLE_RATE} "
            f"to {MAX_SAMPLE_RATE} Hz"
        )
    if str(path) == STDIN:
        yield from _pipe_writer(int(sample_rate), int(channels), frames, subtype)
        return
    container, coding = choose_format(path, int(sample_rate), int(channels), frames, subtype)
    is_open_wav = container == "WAV" and frames is None and soundfile.check_format("RF64", coding)
    if is_open_wav:
        container = "RF64"
    with (
        _as_audio_errors(),
        fresh_file(path, force=force, together=together) as part,
        Sink.to_file(part) as sink,
    ):
        sound = _encoder(path, sink, int(sample_rate), int(channels), container, coding)
        writer = Writer(path, sound, sink, as_wav=is_open_wav)
        try:
            yield writer
            writer._complete()
        finally:
            sound.close()


@contextmanager
def open_writers(
    paths: Iterable[AudioPath], *, together: FileSet | None = None, **how: Any
) -> Iterator[list[Writer]]:
    """Open several files of one kind; if one fails, none appears.

    Args:
        paths: In order of the writers.
        together: As for `open_writer`; None: they appear with each other.
        how: As for `open_writer`.

    Raises:
        ParameterError, AudioError: As for `write`.
    """
    with _as_audio_errors(), file_set(together) as files, ExitStack() as stack:
        yield [stack.enter_context(open_writer(path, together=files, **how)) for path in paths]


@contextmanager
def _as_audio_errors() -> Iterator[None]:
    try:
        yield
    except AudioError:
        raise
    except FileError as error:
        raise AudioError(str(error)) from error


def _pipe_writer(
    sample_rate: int, channels: int, frames: int | None, subtype: str | None
) -> Iterator[Writer]:
    if subtype and str(subtype).upper() != "FLOAT":
        raise AudioError(f"-: standard output gets WAV in FLOAT, not in {subtype}")
    if channels > MAX_CHANNELS:
        raise AudioError(f"-: cannot be written: {channels} channels, more than {MAX_CHANNELS}")
    with Sink.to_stdout() as sink:
        pipe = WavPipe(sink, sample_rate=sample_rate, channels=channels, n_samples=frames)
        writer = Writer(STDIN, pipe, sink)
        try:
            yield writer
            writer._complete()
        except AudioError:
            if isinstance(sink.error, BrokenPipeError):  # the reader closed the pipe: no error
                raise sink.error from None
            raise


def _encoder(
    path: AudioPath, sink: Sink, sample_rate: int, channels: int, container: str, coding: str
) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(sink, "w", sample_rate, channels, coding, format=container)
    except (soundfile.LibsndfileError, ValueError) as error:
        words = (
            describe_os_error(sink.error)
            if sink.error
            else f"{container} cannot hold {channels} channels of {coding} at {sample_rate} Hz"
        )
        raise AudioError(f"{path}: cannot be written: {words}") from error
