"""Read and write audio files at their own sample rate, and measure levels and activity."""

from echoic.audio.activity import active_level_dbfs, active_spans, frame_levels_dbfs
from echoic.audio.files import AudioInfo, blocks, info, read
from echoic.audio.levels import (
    FULL_SCALE_DB_SPL,
    db_spl_to_dbfs,
    db_to_gain,
    dbfs_to_db_spl,
    gain_to_db,
    level_dbfs,
    peak_dbfs,
)
from echoic.audio.live import LiveWav, decode_pipe
from echoic.audio.opening import AudioPath
from echoic.audio.pipe import Pipe, open_pipe
from echoic.audio.recording import Recording, Wave
from echoic.audio.resample import resample
from echoic.audio.writing import Writer, open_writer, open_writers, write

__all__ = [
    "FULL_SCALE_DB_SPL",
    "AudioInfo",
    "AudioPath",
    "LiveWav",
    "Pipe",
    "Recording",
    "Wave",
    "Writer",
    "active_level_dbfs",
    "active_spans",
    "blocks",
    "db_spl_to_dbfs",
    "db_to_gain",
    "dbfs_to_db_spl",
    "decode_pipe",
    "frame_levels_dbfs",
    "gain_to_db",
    "info",
    "level_dbfs",
    "open_pipe",
    "open_writer",
    "open_writers",
    "peak_dbfs",
    "read",
    "resample",
    "write",
]
