"""Several methods on one pair, side by side on a page, with the vocoder they have to beat."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from echoic.errors import ParameterError
from echoic.report.outcome import Result
from echoic.report.transfer import page_ear, write_transfer_page
from echoic.style.files import Restyled, restyle, write_waves
from echoic.style.methods import METHODS
from echoic.style.optimise import Domain
from echoic.style.pairs import Pair, read_pair
from echoic.style.trade_off import TradeOff
from echoic.style.windows import Waves


def restyle_and_report(
    content: str,
    style: str,
    output: str | os.PathLike[str],
    *,
    report: Path,
    method: str = "hearing",
    compare: Sequence[str] = (),
    only: str | None = None,
    strength: float = 0.5,
    domain: Domain | None = None,
    n_steps: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    force: bool = False,
    advance: Callable[[float], None] = lambda _share: None,
) -> dict[str, Restyled]:
    """Restyle a file by one method or several, write the first one's, and a page about all.

    Ctrl-C keeps the best so far of the method that is running, and leaves out those to come.

    Args:
        content: As for `restyle_file`, like all that is not said here.
        style: As there.
        output: As there.
        report: The page, which appears whole or not at all.
        method: As there.
        compare: Further methods, for the page alone.
        only: As there; without a trade-off curve, which is about whole sounds.
        strength: As there.
        domain: As there.
        n_steps: As there.
        seconds: As there.
        seed: As there.
        force: As there, for both files.
        advance: As there.

    Returns:
        What was done by each method that ran.

    Raises:
        ParameterError: as there.
        AudioError: as there.
        LabelError: as there.
        FileError: the page cannot be written.
    """
    methods = list(dict.fromkeys((method, *compare)))
    for name in methods:
        if name not in METHODS:
            raise ParameterError(f"method {name!r} is not one of: {', '.join(METHODS)}")
    pair = read_pair(content, style, seconds=seconds)
    rate = pair.sample_rate
    page_ear(rate)  # refuses a rate before the work
    done: dict[str, Restyled] = {}
    made: dict[str, Waves] = {}
    for name in methods:
        made[name], done[name] = restyle(
            pair,
            only=only,
            method=name,
            strength=strength,
            domain=domain,
            n_steps=n_steps,
            seed=seed,
            advance=lambda share: advance(share / len(methods)),
        )
        if name == method:
            write_waves(output, made[name], pair.sample_rate, force=force)
        if done[name].interrupted:
            break
    asked: dict[str, object] = {
        "Strength": f"{strength:g}",
        "Seed": seed,
        "Domain": domain or "as published",
    }
    if n_steps is not None:
        asked["Steps"] = n_steps
    if only is not None:
        asked["Only"] = only
    _write_page(report, pair, (content, style), made, done, asked, seed=seed, force=force)
    return done


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
    """The page reads sounds from files, here temporary ones: of some there is no other."""
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
    return f"{recipe.summary} ({recipe.reference})" if recipe.reference else recipe.summary


def _trade_off(pair: Pair) -> tuple[TradeOff | None, str]:
    """The trade-off of a pair, or why there is none."""
    try:
        trade_off = TradeOff(pair)
        trade_off.place(pair.waves)
    except (ParameterError, ZeroDivisionError) as error:
        return None, f"There is no trade-off curve: {error}."
    return trade_off, trade_off.note
