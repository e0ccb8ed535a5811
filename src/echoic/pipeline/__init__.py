"""Complete tasks: from a sound, an array or a file, to its results.

`sound` defines what can be read block by block. `hear` is the main task, and `folder` writes its
results; `attend`, `denoise`, `voices`, `tag`, `pitch` and `cochleagram` are the smaller ones.
`live` keeps the state for callers that push chunks. The verbs of the command line are thin
wrappers of these.
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
