// --- sounds below one another, of which one is heard at a time ------------------------------

const playable = tracks.filter((track) => track.sound);
let chosen = playable.find((track) => track.chosen);

function audible(track) {
  return track === chosen;
}

function mix() {
  for (const track of tracks) {
    const heard = audible(track);
    // A jump of the gain would click; 10 ms is quick enough.
    track.gain?.gain.setTargetAtTime(heard ? track.full_scale : 0, context.currentTime, 0.01);
    track.row.classList.toggle("silent", !heard);
    track.row.querySelector("[data-does=listen]")?.setAttribute("aria-pressed", heard);
  }
}

// The position stays, so that sounds are compared at the same word; one may have a length of its own.
function listen(track) {
  if (!track?.sound) return;
  chosen = track;
  duration = track.duration_s;
  find("seek").max = duration;
  if (position >= duration || now() >= duration) seek(0);
  mix();
  show();
}

function onDigit(number) {
  listen(playable[number - 1]);
}

function onLane(track) {
  listen(track);
}

Object.assign(actions, { listen });
openPage();
