// --- a scene: a mixture and the stems that add up to it --------------------------------------

for (const track of tracks) Object.assign(track, { solo: false, muted: false });
const mixture = tracks.find((track) => track.mixture);
const stems = tracks.filter((track) => !track.mixture);

// Stems add up to the mixture: all of them together are what plays at first.
function audible(track) {
  if (mixture?.solo) return mixture.sound ? track === mixture : track !== mixture;
  if (stems.some((stem) => stem.solo)) return track.solo;
  return track === mixture ? stems.length === 0 : !track.muted;
}

function mix() {
  for (const track of tracks) {
    const heard = audible(track);
    // A jump of the gain would click; 10 ms is quick enough.
    track.gain?.gain.setTargetAtTime(heard ? track.full_scale : 0, context.currentTime, 0.01);
    track.row.classList.toggle("silent", !heard && track !== mixture);
    for (const does of ["solo", "mute"]) {
      const pressed = does === "solo" ? track.solo : track.muted;
      track.row.querySelector(`[data-does=${does}]`)?.setAttribute("aria-pressed", pressed);
    }
  }
}

function solo(track) {
  if (!track) return;
  track.solo = !track.solo;
  for (const other of tracks) {
    if (track.mixture !== other.mixture) other.solo = false; // the whole, or some of its parts
  }
  mix();
}

function mute(track) {
  track.muted = !track.muted;
  mix();
}

function onDigit(number) {
  solo(number ? stems[number - 1] : mixture);
}

function onLane(_track) {} // a click there only seeks

Object.assign(actions, { solo, mute });
openPage();
