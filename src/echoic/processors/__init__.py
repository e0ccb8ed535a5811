"""Processors: small modules on the listener's code that do a job.

`network` walks the shipped step graphs, `detect` finds events, `separate`
shares a wave out among labels, `attend`, `tag` and `hear` are composed of these.
"""

from echoic.processors.attend import Attend, attend
from echoic.processors.detect import Detect
from echoic.processors.hear import Hearing, hear
from echoic.processors.separate import Separate
from echoic.processors.tag import tag

__all__ = ["Attend", "Detect", "Hearing", "Separate", "attend", "hear", "tag"]
