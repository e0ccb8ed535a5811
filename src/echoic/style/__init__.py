"""Style and texture transfer: the published methods, and our own in the auditory domain.

`transfer` restyles a sound by one of `METHODS`; each is a small problem definition (`methods/`)
for a common optimiser (`optimise`). `texture` synthesises a sound of any length from statistics
alone. `scoring` measures the results.
Needs echoic[train].
"""

from echoic.style.methods import METHODS
from echoic.style.styling import Transfer, texture, transfer

__all__ = ["METHODS", "Transfer", "texture", "transfer"]
