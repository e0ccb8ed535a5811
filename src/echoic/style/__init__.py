"""Style and texture transfer: every method of the field, and one that hears.

`transfer` restyles a sound by one of `METHODS`; each is a small recipe
(`methods/`) on one optimisation (`optimise`). `texture` makes a sound of any length from
statistics alone. `scoring` tells how well it went.
Needs echoic[train].
"""

from echoic.style.methods import METHODS
from echoic.style.styling import Transfer, texture, transfer

__all__ = ["METHODS", "Transfer", "texture", "transfer"]
