"""The HTML page of a style transfer, and `echoic style --report`, which writes it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re

import numpy as np
import pytest
import soundfile
import torch
from numpy.testing import assert_allclose

from echoic import audio
from echoic.audio.recording import Recording
from echoic.errors import ParameterError
from echoic.report import charts, paint_levels
from echoic.report.charts import Line, chart_svg
from echoic.report.outcome import Point, Result
from echoic.report.transfer import write_transfer_page
from echoic.style.comparing import restyle_and_report
from echoic.style.pairs import MAX_STYLE_S, Pair, read_first, read_pair
from echoic.style.styling import How
from echoic.style.trade_off import TradeOff
from pages import Tags

RATE = 16_000
EVIL = "a<img src=x onerror=alert(1)>&$x.wav"


def sound(n_samples: int, seed: int = 0, swell: float = 1.0) -> np.ndarray:
    wave = np.random.default_rng(seed).standard_normal((1, n_samples))
    wave *= 1 + swell * np.sin(np.arange(n_samples) * 2 * np.pi * 4 / RATE)
    return (0.05 * wave).astype(np.float32)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    audio.write("content.wav", sound(RATE), sample_rate=RATE)
    audio.write("style.wav", sound(2 * RATE, seed=1, swell=0), sample_rate=RATE)
    return tmp_path


# --- charts -------------------------------------------------------------------------------------


def numbers(pattern: str, svg: str) -> list[tuple[float, ...]]:
    return [tuple(map(float, found)) for found in re.findall(pattern, svg)]


def test_points_lie_where_the_ticks_say():
    line = Line("it", [(0, 1.0), (50, 10.0), (100, 1000.0), (70, 0.0), (80, np.nan)], "red")
    svg = chart_svg([line], title="t", x_label="x", y_label="y", log_y=True)
    (path,) = re.findall(r'<path d="(M[^"]*)" style', svg)
    places = np.array(numbers(r"([\d.]+) ([\d.]+)", path))
    ticks_x = dict(numbers(r'<text x="([\d.]+)" y="288" text-anchor="middle">(\d+)<', svg))
    ticks_y = {
        float(words): float(y) - 4
        for y, words in re.findall(r'y="([\d.]+)" text-anchor="end">([\d.]+)<', svg)
    }
    at_x = {value: place for place, value in ticks_x.items()}
    assert len(places) == 3  # 0 and NaN cannot be drawn on a logarithmic axis
    assert_allclose(places[:, 0], np.interp([0, 50, 100], [0, 100], [at_x[0], at_x[100]]), atol=0.2)
    assert_allclose(places[:, 1], [ticks_y[1], ticks_y[10], ticks_y[1000]], atol=0.2)


@pytest.mark.parametrize("points", [[], [(0, np.nan)], [(0, 1e18), (1, 1e18)], [(0, 0.0)]])
def test_odd_points_make_a_chart_or_none(points):
    svg = chart_svg([Line("it", points, "red")], title="t", x_label="x", y_label="y")
    assert bool(svg) == any(np.isfinite(y) for _, y in points)


def test_a_line_has_a_gap_where_it_has_no_points():
    line = Line("it", [(0, 1.0), (1, 2.0), (2, np.nan), (3, 4.0), (4, 5.0), (5, np.nan)], "red")
    svg = chart_svg([line], title="t", x_label="x", y_label="y")
    (path,) = re.findall(r'<path d="(M[^"]*)" style', svg)
    assert [len(stretch.split("L")) for stretch in path[1:].split("M")] == [2, 2]
    assert svg.count("<circle") == 4
    assert "nan" not in svg


@pytest.mark.parametrize(("low", "high"), [(3.1, 3.9), (2.9, 4.1), (0.0071, 0.0074), (640, 640)])
def test_an_axis_of_powers_of_ten_has_ticks_where_no_power_lies(low, high):
    line = Line("it", [(0, low), (1, high)], "red")
    svg = chart_svg([line], title="t", x_label="x", y_label="y", log_y=True)
    ticks = re.findall(r'y="([\d.]+)" text-anchor="end">([\d.]+)<', svg)
    assert len(ticks) >= 2
    y, values = np.array(ticks, float).T
    (path,) = re.findall(r'<path d="(M[^"]*)" style', svg)
    place = float(numbers(r"([\d.]+) ([\d.]+)", path)[0][1])
    by_ticks = np.polyval(np.polyfit(np.log(values), y - 4, 1), np.log(low))
    assert_allclose(place, by_ticks, atol=1.5)


def test_names_do_not_lie_on_each_other():
    lines = [Line(f"method {k}", [(1.0, 2.0)], "red", joined=False) for k in range(5)]
    svg = chart_svg(lines, title="t", x_label="x", y_label="y")
    y = sorted(float(y) for y in re.findall(r'y="([\d.]+)" style="fill:red"', svg))
    assert len(y) == 5
    assert np.diff(y).min() >= 14
    assert y[0] > 0
    assert y[-1] < charts.HEIGHT


def test_pictures_to_be_compared_share_their_scale():
    level_db = np.array([[-50.0, -20.0]])
    assert paint_levels(level_db) == paint_levels(level_db, highest_db=-20.0)
    assert paint_levels(level_db) != paint_levels(level_db, highest_db=0.0)
    assert paint_levels(level_db - 20, highest_db=-20.0) == paint_levels(level_db, highest_db=0.0)


# --- the page -----------------------------------------------------------------------------------


def write_test_page(here, results=None, **changes) -> str:
    course = [{"style": 4.0, "content": 1.0}, {"style": 2.0, "content": 1.0}, {"style": 1.0}]
    course[2]["content"] = 0.5
    page = {
        "content": (EVIL, here / "content.wav"),
        "style": ("style.wav", here / "style.wav"),
        "results": results
        or [
            Result("hearing", "<ours>", here / "content.wav", [course], 1.5, 1.5),
            Result("vocoder", "control", here / "content.wav", [[]], None, 0.1),
        ],
        "asked": {"Strength": "0.5", "Only": EVIL},
    } | changes
    write_transfer_page(here / "page.html", **page)
    return (here / "page.html").read_text(encoding="utf-8")


def test_the_page_holds_every_sound_and_fetches_nothing(here):
    page = write_test_page(here)
    tags = Tags(page)
    tracks = tags.data()["tracks"]
    assert [track["duration_s"] for track in tracks] == [1.0, 2.0, 1.0, 1.0]
    assert [track["chosen"] for track in tracks] == [False, False, True, False]
    for track, name in zip(tracks[:2], ("content.wav", "style.wav"), strict=True):
        wave, rate = soundfile.read(io.BytesIO(base64.b64decode(track["sound"])))
        assert rate == RATE
        assert_allclose(track["full_scale"] * wave, audio.read(name)[0][0], atol=2.0**-15)
    rows = {attributes.get("id") for _, attributes in tags.tags}
    assert {track["row"] for track in tracks} <= rows
    digest = base64.b64encode(hashlib.sha256(tags.scripts[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert not re.search(r"https?:", page)
    for tag, attributes in tags.tags:
        assert (attributes.get("src") or "data:").startswith("data:"), tag
        assert "href" not in attributes


def test_names_cannot_break_out(here):
    page = write_test_page(here)
    assert "&lt;img src=x onerror=alert(1)&gt;&amp;$x.wav" in page
    assert "<ours>" not in page
    assert [tag for tag, _ in Tags(page).tags].count("img") == 4  # one cochleagram per sound


def test_losses_are_means_of_the_windows_that_came_so_far(here):
    windows = [[{"a": 4.0}, {"a": 2.0}], [{"a": 2.0}]]
    result = Result("hearing", "", here / "content.wav", windows, 1.5, 1.0, interrupted=True)
    assert result.course() == [{"a": 3.0}, {"a": 2.0}]
    page = write_test_page(here, [result])
    assert "<td>3, stopped early</td><td>3</td><td>1.5</td><td>1.0</td>" in page
    assert "Means of 2 windows" in page


def test_terms_may_come_and_go(here):
    """The guard against copies comes in a later round, and not in every window."""
    windows = [
        [{"a": 4.0, "b": 1.0}, {"a": 2.0, "guard": 6.0}, {"a": 1.0, "b": 1.0}],
        [{"a": 2.0, "b": 1.0}, {"a": 2.0, "b": 1.0}],
    ]
    result = Result("hearing", "", here / "content.wav", windows, 1.5, 1.0)
    assert result.course() == [
        {"a": 3.0, "b": 1.0},
        {"a": 2.0, "guard": 3.0, "b": 0.5},
        {"a": 1.0, "b": 1.0},
    ]
    page = write_test_page(here, [result])
    assert "Loss of the result</th>" in page
    assert "<td>5</td><td>4</td><td>1.5</td>" in page
    assert re.findall(r"<g><title>(\w+)</title>", page) == ["sum", "a", "b", "guard"]


def test_only_methods_with_losses_have_a_chart_of_them(here):
    page = write_test_page(here)
    assert "Losses of hearing" in page
    assert "Losses of vocoder" not in page
    assert "Style against content" not in page


def test_what_fails_the_gates_is_a_ring(here):
    results = [
        Result(
            name,
            "",
            here / "content.wav",
            [],
            None,
            1.0,
            point=Point(0.5, 0.4, passes=name == "good"),
        )
        for name in ("good", "bad")
    ]
    page = write_test_page(here, results, vocoder=[Point(0.0, 0.2, True), Point(1.0, 0.1, True)])
    rings = re.findall(r"<title>(\w+)</title><circle [^>]*fill:none", page)
    assert rings == ["bad"]
    assert "a mixture or a copy" in page


@pytest.mark.parametrize("limit", ["MAX_EMBEDDED_S", "MAX_EMBEDDED_BYTES"])
def test_long_sounds_are_shown_but_not_held(here, monkeypatch, limit):
    monkeypatch.setattr(f"echoic.report.tracks.{limit}", 1)
    page = write_test_page(here)
    assert not any("sound" in track for track in Tags(page).data()["tracks"])
    assert 'data-does="listen"' not in page.split("<script")[0]
    assert "cannot be played within this page" in page


def test_a_page_needs_a_result(here):
    with pytest.raises(ParameterError, match="nothing to show"):
        write_transfer_page(
            here / "page.html",
            content=("c", here / "content.wav"),
            style=("s", here / "style.wav"),
            results=[],
            asked={},
        )


# --- the trade-off ------------------------------------------------------------------------------


def test_the_content_itself_closes_no_gap_and_the_vocoder_trades(monkeypatch):
    monkeypatch.setattr("echoic.style.trade_off.SWEPT_STRENGTHS", (1.0, 0.5, 0.0))
    content, style = sound(RATE), sound(4 * RATE, seed=1, swell=0)[0]
    trade_off = TradeOff(Pair("c", content, style[: 2 * RATE], style[2 * RATE :], RATE))
    assert "no method was shown" in trade_off.note
    itself = trade_off.place(content)
    assert_allclose(itself[:2], (1, 0), atol=1e-3)
    assert not itself.passes
    depths = [point.depth for point in trade_off.vocoder(seed=0)]
    assert depths == sorted(depths)
    assert depths[0] < 0.2 < depths[-1]


def test_what_is_unseen_comes_after_what_is_shown(here):
    n_shown = round(MAX_STYLE_S * RATE)
    long = sound(n_shown + 5 * RATE, seed=2)
    audio.write("long.wav", long, sample_rate=RATE)
    pair = read_pair("content.wav", "long.wav")
    assert_allclose(pair.shown, long[0, :n_shown], atol=1e-6)
    assert_allclose(pair.unseen, long[0, n_shown:], atol=1e-6)


def test_no_more_is_decoded_than_is_needed(here, monkeypatch):
    monkeypatch.setattr("echoic.style.pairs.READ_BLOCK_SAMPLES", RATE)
    audio.write("long.wav", sound(60 * RATE, seed=2), sample_rate=RATE)
    sizes, blocks = [], Recording.blocks

    def counted(self, block_samples):
        for block in blocks(self, block_samples):
            sizes.append(block.shape[1])
            yield block

    monkeypatch.setattr(Recording, "blocks", counted)
    waves, _ = read_first("long.wav", 2.5)
    assert sum(sizes) == 3 * RATE
    assert_allclose(waves, sound(60 * RATE, seed=2)[:, : 5 * RATE // 2], atol=1e-6)
    assert read_first("long.wav", np.inf)[0].shape == (1, 60 * RATE)


# --- the verb -----------------------------------------------------------------------------------

QUICK = ("--steps", "2")


def test_a_report_compares_methods(run, here, monkeypatch):
    monkeypatch.setattr("echoic.style.trade_off.SWEPT_STRENGTHS", (1.0, 0.0))
    asked = ("--report", "page.html", "--compare", "vocoder,hearing", "--compare", "musaicing")
    done = run("style", "content.wav", "style.wav", "-o", "out.wav", *QUICK, *asked, "--json")
    assert (done.code, done.err) == (0, "")
    record = json.loads(done.out)
    assert (record["method"], record["evaluations"], record["report"]) == (
        "hearing",
        2,
        "page.html",
    )
    assert list(record["compared"]) == ["vocoder", "musaicing"]
    page = (here / "page.html").read_text(encoding="utf-8")
    names = re.findall(r'<div class="name">(.*?)</div>', page)
    assert names == ["content", "style", "hearing", "vocoder", "musaicing"]
    assert "vocoder, swept" in page
    assert "favours all methods" in page  # the style is too short for a held-out part
    result = Tags(page).data()["tracks"][2]
    wave, _ = soundfile.read(io.BytesIO(base64.b64decode(result["sound"])))
    assert_allclose(result["full_scale"] * wave, audio.read("out.wav")[0][0], atol=2.0**-15)


def test_methods_are_compared_without_the_settings_that_they_do_not_have(run, here, monkeypatch):
    monkeypatch.setattr("echoic.style.trade_off.SWEPT_STRENGTHS", ())
    torch.save([torch.ones(4, 1, 3, 3), *[torch.ones(4, 4, 3, 3)] * 4], "layers.pt")
    gatys = ("--method", "gatys", "--domain", "waveform", "--network", "layers.pt", *QUICK)
    asked = ("--strength", "0.4", "--report", "page.html", "--compare", "mcdermott,vocoder")
    done = run("style", "content.wav", "style.wav", "-o", "out.wav", *gatys, *asked, "--json")
    assert (done.code, done.err) == (0, "")
    record = json.loads(done.out)
    assert record["strength"] == 0.4
    assert list(record["compared"]) == ["mcdermott", "vocoder"]
    page = (here / "page.html").read_text(encoding="utf-8")
    assert page.count("strength: n/a") == 1


def test_a_preview_is_one_of_the_methods_compared_too(run, here, monkeypatch):
    """The vocoder takes no steps, and passed none on."""
    monkeypatch.setattr("echoic.style.trade_off.SWEPT_STRENGTHS", ())
    monkeypatch.setattr("echoic.cli.style.PREVIEW_STEPS", 2)
    asked = ("--method", "vocoder", "--report", "page.html", "--compare", "gatys", "--preview")
    done = run("style", "content.wav", "style.wav", "-o", "out.wav", *asked, "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["compared"]["gatys"]["evaluations"] == 2
    assert re.search(r"Steps</dt>\s*<dd>2<", (here / "page.html").read_text(encoding="utf-8"))


def test_layers_of_another_kind_are_refused_before_the_work(run, here, monkeypatch):
    monkeypatch.setattr("echoic.style.comparing.restyle", None)
    torch.save([torch.ones(4, 1, 3, 3), *[torch.ones(4, 4, 3, 3)] * 4], "layers.pt")
    gatys = ("--method", "gatys", "--network", "layers.pt", *QUICK)
    asked = ("--report", "page.html", "--compare", "wyse")
    done = run("style", "content.wav", "style.wav", "-o", "out.wav", *gatys, *asked)
    assert done.code == 1
    assert "layers.pt holds layers of [4, 4, 4, 4, 4] axes; needed are 2 of 3" in done.err


def test_a_report_changes_no_result(run, here, monkeypatch):
    monkeypatch.setattr("echoic.style.trade_off.SWEPT_STRENGTHS", ())
    for name, options in (("a.wav", ()), ("b.wav", ("--report", "page.html"))):
        done = run("style", "content.wav", "style.wav", "-o", name, *QUICK, *options)
        assert done.code == 0
    np.testing.assert_array_equal(audio.read("a.wav")[0], audio.read("b.wav")[0])


def test_one_sound_by_itself_has_a_page_without_a_curve(run, here):
    vocoder = ("--method", "vocoder", "--report", "page.html")
    assert run("style", "style.wav", "style.wav", "-o", "out.wav", *vocoder).code == 0
    page = (here / "page.html").read_text(encoding="utf-8")
    assert "There is no trade-off curve: content and style are the same sound." in page
    assert "Style against content" not in page


def test_ctrl_c_leaves_out_the_methods_to_come(here, monkeypatch):
    monkeypatch.setattr("echoic.style.trade_off.SWEPT_STRENGTHS", ())

    def interrupt(_share: float) -> None:
        raise KeyboardInterrupt

    done = restyle_and_report(
        "content.wav",
        "style.wav",
        "out.wav",
        report=here / "page.html",
        compare=[How("vocoder")],
        how=How(n_steps=5),
        advance=interrupt,
    )
    assert list(done) == ["hearing"]
    assert done["hearing"].interrupted
    assert audio.info("out.wav").frames == RATE
    assert "stopped early" in (here / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--report", "out.wav"), "its suffix is not .html"),
        (("--report", "page.txt"), "its suffix is not .html"),
        (("--report", "there.html"), "there.html: exists already"),
        (("--report", "nowhere/page.html"), "there is no folder"),
        (("--report", "page.html", "--compare", "magic"), "method 'magic' is not one of"),
        (("--compare", "vocoder"), "--compare shows methods on a page"),
        (("--report", "page.html", "-o", "page.wav"), "is both --output and --report"),
        (("--report", "style.html", "--force"), "style.wav: is both input and output"),
    ],
)
def test_bad_input_gets_one_line_and_leaves_nothing(run, here, arguments, words):
    (here / "there.html").write_text("mine")
    (here / "style.html").symlink_to("style.wav")
    (here / "page.wav").symlink_to("page.html")
    before = sorted(path.name for path in here.iterdir())
    done = run("style", "content.wav", "style.wav", "-o", "out.wav", *QUICK, *arguments)
    assert done.code in (1, 2)
    assert words in re.sub(r"[\s│]+", " ", done.err)
    assert done.code == 2 or len(done.err.splitlines()) == 1
    assert sorted(path.name for path in here.iterdir()) == before
    assert (here / "there.html").read_text() == "mine"


def test_a_texture_has_no_report(run, here):
    done = run("style", "--texture", "style.wav", "-o", "out.wav", "--report", "page.html")
    assert done.code == 2
    assert "--report does not apply to a texture" in done.err
