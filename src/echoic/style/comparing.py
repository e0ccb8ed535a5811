"""Compare several methods on one pair, on a report page with the vocoder as baseline."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from echoic.errors import ParameterError
from echoic.report.outcome import Result
from echoic.report.sounds import page_ear
from echoic.report.transfer import write_transfer_page
from echoic.style.files import Restyled, restyle, write_waves
from echoic.style.methods import METHODS
from echoic.style.pairs import Pair, read_pair
from echoic.style.styling import How
from echoic.style.trade_off import TradeOff
from echoic.style.windows import Waves


def restyle_and_report(
    content: str,
    style: str,
    output: str | os.PathLike[str],
    *,
    report: Path,
    how: How,
    compare: Sequence[How] = (),
    only: str | None = None,
    seconds: float | None = None,
    force: bool = False,
    advance: Callable[[float], None] = lambda _share: None,
) -> dict[str, Restyled]:
    """Restyle a file by one or several methods; write the first result, and a page on all.

    Ctrl-C keeps the best result so far of the running method, and skips the remaining methods.

    Args:
        content: As for `restyle_file`.
        style: As for `restyle_file`.
        output: As for `restyle_file`.
        report: The page, written atomically.
        how: As for `restyle_file`.
        compare: Settings of further methods, shown on the page only.
        only: As for `restyle_file`; there is then no trade-off curve, which needs whole sounds.
        seconds: As for `restyle_file`.
        force: As for `restyle_file`, for both files.
        advance: As for `restyle_file`.

    Returns:
        The outcome of each method that ran, by name.

    Raises:
        ParameterError: as for `restyle_file`.
        AudioError: as for `restyle_file`.
        LabelError: as for `restyle_file`.
        FileError: the page cannot be written.
    """
    by_method = {one.method: one for one in (how, *compare)} | {how.method: how}
    hows = [*by_method.values()]
    for one in hows:
        one.check()
        one.learned()  # rejects layers of another kind before the long work
    pair = read_pair(content, style, seconds=seconds)
    page_ear(pair.sample_rate)  # rejects an unsupported sample rate before the long work
    done: dict[str, Restyled] = {}
    made: dict[str, Waves] = {}
    for one in hows:
        made[one.method], done[one.method] = restyle(
            pair, one, only=only, advance=lambda share: advance(share / len(hows))
        )
        if one == how:
            write_waves(output, made[one.method], pair.sample_rate, force=force)
        if done[one.method].interrupted:
            break
    _write_page(
        report, pair, (content, style), made, done, _asked(hows, only), seed=how.seed, force=force
    )
    return done


def _asked(hows: Sequence[How], only: str | None) -> dict[str, object]:
    """The settings shown on the page, by name; those that were not given are left out."""
    how = hows[0]
    has_strength = any(METHODS[one.method].has_strength for one in hows)
    asked: dict[str, object | None] = {
        "Strength": f"{how.applied_strength:g}" if has_strength else "n/a",
        "Seed": how.seed,
        "Domain": how.domain or "as published",
        "Steps": next((one.n_steps for one in hows if one.n_steps is not None), None),
        "Only": only,
        "Network": how.network,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _write_page(
    report: Path,
    pair: Pair,
    names: tuple[str, str],
    made: Mapping[str, Waves],
    done: Mapping[str, Restyled],
    asked: dict[str, object],
    *,
    seed: int,
    force: bool,
) -> None:
    """Write the page, from temporary sound files, as not every sound has a file of its own."""
    trade_off, note = None, "There is no trade-off curve for one sound of a scene."
    if "Only" not in asked:
        trade_off, note = _trade_off(pair)
    with TemporaryDirectory() as folder:

        def kept(name: str, waves: Waves) -> Path:
            write_waves(Path(folder) / f"{name}.wav", waves, pair.sample_rate)
            return Path(folder) / f"{name}.wav"

        results = [
            Result(
                method,
                _summary(method),
                kept(method, waves),
                done[method].losses,
                done[method].loss,
                done[method].elapsed_s,
                done[method].interrupted,
                trade_off.place(waves) if trade_off else None,
            )
            for method, waves in made.items()
        ]
        content_name, style_name = (Path(name).name for name in names)
        write_transfer_page(
            report,
            content=(content_name, kept("content", pair.waves)),
            style=(style_name, kept("style", pair.shown[np.newaxis])),
            results=results,
            asked=asked,
            vocoder=trade_off.vocoder(seed=seed) if trade_off else (),
            trade_off_note=note,
            force=force,
        )


def _summary(method: str) -> str:
    recipe = METHODS[method]
    words = recipe.summary if recipe.has_strength else f"{recipe.summary}; strength: n/a"
    return f"{words} ({recipe.reference})" if recipe.reference else words


def _trade_off(pair: Pair) -> tuple[TradeOff | None, str]:
    """The trade-off of a pair and its note, or None and the reason."""
    try:
        trade_off = TradeOff(pair)
        trade_off.place(pair.waves)
    except ParameterError as error:
        return None, f"There is no trade-off curve: {error}."
    return trade_off, trade_off.note
