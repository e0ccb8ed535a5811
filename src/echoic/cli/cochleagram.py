"""`echoic cochleagram`: a cochleagram as a picture or as an array."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from echoic.cli._source import Source
from echoic.cli._targets import exist_already, find_targets, made_folders_of
from echoic.cli.common import (
    Force,
    Inputs,
    Jobs,
    Json,
    Quiet,
    Recursive,
    Reporter,
    SkipExisting,
    Verbose,
    as_usage,
    check_replacing,
)
from echoic.outputs import InputFiles, fresh_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from echoic.ear import Ear


class Format(StrEnum):
    """Output formats."""

    PNG = "png"
    NPZ = "npz"


SUFFIXES = tuple(f".{one.value}" for one in Format)

Output = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="A .png or .npz to write; with several inputs, a folder.",
        show_default=False,
    ),
]
AsFormat = Annotated[
    Format | None,
    typer.Option("--format", help="What to write into a folder; png if not said."),
]
Bands = Annotated[int, typer.Option(help="Number of bands, 1 to 256.")]
LowHz = Annotated[float, typer.Option(help="Centre of the lowest band.")]
HighHz = Annotated[
    float, typer.Option(help="Centre of the highest band; those above Nyquist are silent.")
]
HopMs = Annotated[float, typer.Option(help="Milliseconds a frame.")]


def cochleagram(
    inputs: Inputs,
    output: Output,
    as_format: AsFormat = None,
    bands: Bands = 64,
    low_hz: LowHz = 50.0,
    high_hz: HighHz = 7600.0,
    hop_ms: HopMs = 2.5,
    recursive: Recursive = False,
    jobs: Jobs = None,
    skip_existing: SkipExisting = False,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Draw a cochleagram, or write its values.

    A PNG shows levels over time and centre frequency. An NPZ holds `envelope`
    (band, frame), the amplitude of each band in each frame, with `center_hz`,
    `hop_s` and `sample_rate`. Several channels are combined by summing their
    powers.
    """
    from echoic.ear import Ear

    check_replacing(force=force, skip_existing=skip_existing)
    reporter = Reporter(as_json=as_json, quiet=quiet, verbose=verbose)
    settings: dict[str, Any] = {
        "n_bands": bands,
        "low_hz": low_hz,
        "high_hz": high_hz,
        "hop_s": hop_ms / 1000,
    }
    with as_usage(
        n_bands=f"--bands {bands}",
        low_hz=f"--low-hz {low_hz:g}",
        high_hz=f"--high-hz {high_hz:g}",
        hop_s=f"--hop-ms {hop_ms:g}",
    ):
        Ear(sample_rate=192_000, **settings)  # invalid at any rate: reported before any work
    paths = reporter.expand(inputs, recursive=recursive)
    suffix = as_format and f".{as_format.value}"
    targets = find_targets(paths, output, SUFFIXES, suffix=suffix, given=inputs)
    work = partial(
        cochleagram_of_one,
        targets=targets,
        read=InputFiles(targets),
        settings=settings,
        skip_existing=skip_existing,
        force=force,
    )
    with made_folders_of(targets, given=inputs):
        reporter.each(paths, work, jobs=jobs)


def cochleagram_of_one(
    path: str,
    reporter: Reporter,
    *,
    targets: dict[str, Path],
    read: InputFiles,
    settings: dict[str, Any],
    skip_existing: bool,
    force: bool,
) -> dict[str, Any]:
    """Compute the cochleagram of one input and write its file."""
    from echoic.ear import Ear
    from echoic.errors import AudioError, ParameterError
    from echoic.pipeline.cochleagram import envelopes

    target = targets[path]
    if skip_existing and exist_already(path, [target], reporter):
        return {"file": path, "output": target, "skipped": True}
    read.check_output(target, force=force)
    source = Source(path)
    ear = Ear(sample_rate=source.sample_rate, **settings)
    try:
        n_frames = ear.clock.check_length(source.n_samples)
    except ParameterError as error:  # due to this file, not to the options
        raise AudioError(f"{path}: {error}") from error
    save_png = partial(_save_png, title=Path(path).name)
    save = _save_npz if target.suffix.lower() == ".npz" else save_png
    with (
        reporter.progress("hearing", total=source.duration_s) as advance,
        fresh_file(target, force=force) as part,
    ):
        save(part, envelopes(source.blocks(advance), ear), ear=ear, n_frames=n_frames)
    reporter.note(f"{path}: wrote {target}")
    return {
        "file": path,
        "output": target,
        "sample_rate": source.sample_rate,
        "n_bands": settings["n_bands"],
        "n_frames": n_frames,
        "hop_s": settings["hop_s"],
    }


def _save_png(
    part: Path, envelopes: Iterator[NDArray[np.float32]], *, ear: Ear, n_frames: int, title: str
) -> None:
    from echoic.report import ColumnMeter
    from echoic.report.plots import draw_meter

    meter = ColumnMeter(n_frames, n_bands=ear.design.n_bands)
    for envelope in envelopes:
        meter.add(envelope)
    rate = ear.design.sample_rate
    duration_s = n_frames * ear.hop / rate
    part.write_bytes(
        draw_meter(meter, ear.center_hz, sample_rate=rate, duration_s=duration_s, title=title)
    )


def _save_npz(
    part: Path, envelopes: Iterator[NDArray[np.float32]], *, ear: Ear, n_frames: int
) -> None:
    """Write frame by frame, in Fortran order, so that the array is never in memory as a whole."""
    import numpy as np

    small = {
        "center_hz": ear.center_hz,
        "hop_s": np.float64(ear.hop / ear.design.sample_rate),
        "sample_rate": np.float64(ear.design.sample_rate),
    }
    shape = (ear.design.n_bands, n_frames)
    with zipfile.ZipFile(part, "w") as archive:
        with archive.open("envelope.npy", "w", force_zip64=True) as member:
            header = {"descr": "<f4", "fortran_order": True, "shape": shape}
            np.lib.format.write_array_header_1_0(member, header)
            for envelope in envelopes:
                member.write(envelope.astype("<f4").tobytes(order="F"))
        for name, value in small.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.asarray(value))
