"""Whole jobs: from a sound, an array or a file, to its hearing.

`sound` is what can be read block by block, `hear` the main job, `folder` writes
it down, `attend` and `tag` are the smaller ones, `live` holds a state for
whoever pushes chunks. The verbs of the command line are thin shells of these.
"""

from echoic.pipeline.attend import attend
from echoic.pipeline.hear import Hearing, hear
from echoic.pipeline.live import stream
from echoic.pipeline.tag import tag

__all__ = ["Hearing", "attend", "hear", "stream", "tag"]
