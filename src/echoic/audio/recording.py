"""An audio file that can be decoded from its beginning any number of times."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile

from echoic.audio.containers import lay_out, read_wav_format, says_no_length
from echoic.audio.mending import Mending
from echoic.audio.opening import (
    AudioPath,
    check_header,
    check_path,
    has_last_sample,
    open_bytes,
    open_decoder,
    says_its_length,
    unreadable,
)
from echoic.audio.pipe import read_pipe
from echoic.audio.view import View
from echoic.checks import check_count
from echoic.errors import AudioError
from echoic.outputs import describe_os_error

Wave: TypeAlias = npt.NDArray[np.float32]

READ_BLOCK_SAMPLES = 1 << 18


class Recording:
    """A file, or a pipe whose bytes are kept in memory because they can be read only once.

    Args:
        path: A file, a named pipe, or "-" for standard input.
        content: The bytes, if they have been read already.

    Attributes:
        name: The path as given.
        is_file: Whether it can be opened again under that name.
        format, subtype: Container and coding, libsndfile names.
        sample_rate: Hz.
        n_channels: Number of channels.
        n_samples: Samples per channel, counted by decoding if no header gives it.

    Raises:
        ParameterError: The path is neither text nor a path.
        AudioError: As `echoic.audio.read` documents.

    Example:
        >>> import tempfile
        >>> from echoic.audio import write
        >>> path = tempfile.mkdtemp() + "/one.wav"
        >>> write(path, np.zeros((1, 800), np.float32), sample_rate=16_000)
        >>> recording = Recording(path)
        >>> recording.n_samples, [block.shape for block in recording.blocks(500)]
        (800, [(1, 500), (1, 300)])
    """

    def __init__(self, path: AudioPath, *, content: bytes | None = None) -> None:
        """Read the header; decode the whole file only if that does not give its length."""
        self.name = check_path(path)
        self._content = read_pipe(self.name) if content is None else content
        self._seems_longer = False
        self._has_warned = False
        with open_bytes(self.name, self._content) as file:
            size = file.seek(0, os.SEEK_END)
            if size == 0:
                raise AudioError(f"{self.name}: is empty (0 bytes)")
            try:
                self._layout = lay_out(file, size)
                wav = read_wav_format(file, size)
            except OSError as error:
                raise unreadable(self.name, error) from error
            if wav is not None and wav.n_channels == 0:  # libsndfile blames some other chunk
                raise AudioError(f"{self.name}: is damaged: its header says 0 channels")
            if wav is not None and wav.pads_samples:
                raise AudioError(
                    f"{self.name}: holds samples in wider containers, such as 24 bits in 4 bytes "
                    "(arecord -f S24_LE; -f S24_3LE or S32_LE is read)"
                )
            if self._layout.n_missing:
                raise AudioError(
                    f"{self.name}: is truncated: it holds {size} bytes of "
                    f"{size + self._layout.n_missing} or more"
                )
        with self._decoder() as (sound, _):
            check_header(sound, self.name)
            self.format, self.subtype = sound.format, sound.subtype
            self.sample_rate, self.n_channels = int(sound.samplerate), int(sound.channels)
            self.n_samples = int(sound.frames)
            self._check_length(sound)

    @property
    def is_file(self) -> bool:
        """Whether it can be opened again under its name."""
        return self._content is None

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate

    def blocks(self, block_samples: int) -> Iterator[Wave]:
        """Decode from the beginning, (channel, time) each; only the last may be shorter.

        NaN and infinities become 0, samples far above full scale are clipped;
        one warning is issued, at the end of the first pass.

        Raises:
            ParameterError: `block_samples` is below 1.
            AudioError: damage in the file is reached.
        """
        check_count(block_samples, name="block_samples")
        n_read, mending = 0, Mending()
        try:
            for wave in self._decode(block_samples, self.n_samples):
                n_read += wave.shape[1]
                yield mending(wave)
            if n_read != self.n_samples:
                raise self._damaged(n_read)
        finally:
            if not self._has_warned:
                self._has_warned = mending.warn(self.name)

    def _decode(self, block_samples: int, n_promised: float) -> Iterator[Wave]:
        """Decode until `n_promised` samples are read, or no more can be."""
        with self._decoder() as (sound, view):
            # After every read soundfile seeks to the current position, by which an MP3 decoder
            # loses its overlap with the previous frame. Reading is sequential here, so the file
            # is marked as not seekable.
            sound._info.seekable = 0
            n_read = 0
            while n_read < n_promised:
                try:
                    block = sound.read(block_samples, dtype="float32", always_2d=True)
                except (soundfile.LibsndfileError, ValueError) as error:
                    raise self._damaged(n_read) from error
                if view.error is not None:
                    words = describe_os_error(view.error)
                    raise AudioError(f"{self.name}: cannot be read: {words}") from view.error
                if not len(block):
                    return
                n_read += len(block)
                yield np.ascontiguousarray(block.T)

    def _check_length(self, sound: soundfile.SoundFile) -> None:
        """Check that the last sample can be decoded, or count samples if no length is given."""
        if sound.format == "MP3":
            with open_bytes(self.name, self._content) as file:
                self._seems_longer = says_no_length(file)
        if self._seems_longer or not says_its_length(sound):
            self.n_samples = 0
            waves = self._decode(READ_BLOCK_SAMPLES, math.inf)
            self.n_samples = sum(wave.shape[1] for wave in waves)
            if self.n_samples == 0:
                raise self._damaged(0)
        elif sound.format in ("FLAC", "MP3") and not has_last_sample(sound):
            raise AudioError(
                f"{self.name}: is truncated or damaged: the last of its {sound.frames} samples "
                "cannot be read"
            )

    @contextmanager
    def _decoder(self) -> Iterator[tuple[soundfile.SoundFile, View]]:
        with open_bytes(self.name, self._content) as file:
            head, begin, end, _ = self._layout
            view = View(file, head, begin, end, seems_longer=self._seems_longer)
            with open_decoder(view, self.name) as sound:
                yield sound, view

    def _damaged(self, n_read: int) -> AudioError:
        promised = f"its header promises {self.n_samples} samples, " if self.n_samples else ""
        return AudioError(f"{self.name}: is truncated or damaged: {promised}{n_read} can be read")
