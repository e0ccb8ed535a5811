"""Whole jobs: from a sound, an array or a file, to its hearing.

`sound` is what can be read block by block, `hear` the main job, `folder` writes
it down, `attend`, `denoise`, `voices`, `tag`, `pitch` and `cochleagram` are the smaller ones,
`live` holds a state for whoever pushes chunks. The verbs of the command line are thin shells of
these.
"""

from echoic.pipeline.attend import attend
from echoic.pipeline.cochleagram import Cochleagram, cochleagram
from echoic.pipeline.denoise import denoise
from echoic.pipeline.hear import Hearing, hear
from echoic.pipeline.live import stream
from echoic.pipeline.pitch import PitchTrack, pitch
from echoic.pipeline.tag import tag
from echoic.pipeline.voices import voices

__all__ = [
    "Cochleagram",
    "Hearing",
    "PitchTrack",
    "attend",
    "cochleagram",
    "denoise",
    "hear",
    "pitch",
    "stream",
    "tag",
    "voices",
]
