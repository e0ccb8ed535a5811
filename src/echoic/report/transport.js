"use strict";
// One clock for all tracks: each is a decoded buffer, all are started at the same time of one
// audio context, and listening to some of them only moves gains. So they never drift apart.
//
// A page's own script follows. It says what is heard (`audible`, `mix`), what a digit and a click
// on a lane choose (`onDigit`, `onLane`), adds to `actions`, and calls `openPage` at last.

const find = (id) => document.getElementById(id);
const page = JSON.parse(find("data").textContent);
const tracks = page.tracks;
let duration = page.duration_s;
for (const track of tracks) track.row = find(track.row);

let context = null; // made by the first gesture: browsers allow no sound before it
let loading = null;
let playing = false;
let startedAt = 0; // on the context's clock, while playing
let position = 0; // seconds into the sound, where playing started or paused
let nextShow = 0;

function now() {
  const passed = playing ? Math.max(0, context.currentTime - startedAt) : 0;
  return Math.min(position + passed, duration);
}

// --- the transport ---------------------------------------------------------------------------

async function decode(track) {
  const bytes = Uint8Array.from(atob(track.sound), (letter) => letter.charCodeAt(0));
  track.buffer = await context.decodeAudioData(bytes.buffer);
  track.gain = new GainNode(context, { gain: audible(track) ? track.full_scale : 0 });
  track.gain.connect(context.destination);
}

async function load() {
  find("status").textContent = "Decoding the sound …";
  const sounding = tracks.filter((track) => track.sound);
  const done = await Promise.allSettled(sounding.map(decode));
  const n_failed = done.filter(({ status }) => status === "rejected").length;
  find("status").textContent = n_failed ? `This browser cannot decode ${n_failed} of the sounds.` : "";
}

function start() {
  if (position >= duration) position = 0;
  startedAt = context.currentTime + 0.05; // time to prepare every source before all start at once
  for (const track of tracks) {
    if (!track.buffer) continue;
    track.source = new AudioBufferSourceNode(context, { buffer: track.buffer });
    track.source.connect(track.gain);
    track.source.start(startedAt, position);
  }
  playing = true;
}

function stop() {
  position = now();
  playing = false;
  for (const track of tracks) track.source?.stop();
}

async function toggle() {
  context ??= new AudioContext();
  const resumed = context.resume(); // within the gesture, before anything is awaited
  loading ??= load();
  await Promise.all([resumed, loading]);
  if (playing) stop();
  else start();
  show();
}

function seek(time) {
  const wasPlaying = playing;
  if (wasPlaying) stop();
  position = Math.min(Math.max(time, 0), duration);
  if (wasPlaying && position < duration) start();
  show();
}

// --- what is seen ----------------------------------------------------------------------------

function clockText(time) {
  const tenths = Math.floor(time * 10 + 1e-6);
  const seconds = String(Math.floor(tenths / 10) % 60).padStart(2, "0");
  return `${Math.floor(tenths / 600)}:${seconds}.${tenths % 10}`;
}

function show() {
  const time = now();
  if (playing && time >= duration) stop();
  find("timeline").style.setProperty("--at", time / duration);
  for (const { row, duration_s } of tracks) {
    if (duration_s) row.style.setProperty("--at", Math.min(time / duration_s, 1)); // its own axis
  }
  find("seek").value = time;
  find("seek").setAttribute("aria-valuetext", `${clockText(time)} of ${clockText(duration)}`);
  find("clock").textContent = `${clockText(time)} / ${clockText(duration)}`;
  find("play").textContent = playing ? "Pause" : "Play";
  cancelAnimationFrame(nextShow); // a seek shows at once; only one of us may go on
  if (playing) nextShow = requestAnimationFrame(show);
}

// --- what people do --------------------------------------------------------------------------

const actions = { play: toggle, jump: (_track, button) => seek(Number(button.dataset.at)) };

function onClick(event) {
  const button = event.target.closest("[data-does]");
  const lane = event.target.closest("[data-seek]");
  const track = tracks.find(({ row }) => row.contains(button ?? lane));
  if (button) {
    actions[button.dataset.does](track, button);
    if (event.detail > 0) button.blur(); // after the mouse, the space bar means play again
  } else if (lane) {
    onLane(track);
    const { left, width } = lane.getBoundingClientRect();
    seek(((event.clientX - left) / width) * duration);
  }
}

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const step = event.shiftKey ? 10 : 1;
  if (event.key === " " && !event.target.closest("button, a")) toggle();
  else if (event.key === "ArrowLeft") seek(now() - step);
  else if (event.key === "ArrowRight") seek(now() + step);
  else if (event.key >= "0" && event.key <= "9") onDigit(Number(event.key));
  else return;
  event.preventDefault();
}

function openPage() {
  if (!tracks.some((track) => track.sound)) return;
  find("player").hidden = false;
  find("timeline").classList.add("playable");
  find("seek").addEventListener("input", (event) => seek(Number(event.target.value)));
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  mix();
  show();
}
