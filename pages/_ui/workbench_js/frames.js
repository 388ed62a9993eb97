// When each frame of a clip is shown, and where a box lies at a time: core/frame_times.py and core/boxes.py.

const ROUNDING = 2e-6;  // browsers and ffprobe write times in millionths of a second
const SOUND_STEP = 100;  // steps a second of a sound, which has no frames

/** The frames of a clip: when each one comes and goes, in seconds of the clip. */
class Frames {
  constructor(count, time, end, at) { Object.assign(this, { count, at, last: end, timeOf: time }); }
  endOf(frame) { return frame + 1 < this.count ? this.timeOf(frame + 1) : this.last; }
  clamp(frame) { return Math.max(0, Math.min(this.count - 1, frame)); }
  /** The frame that is seen at a time. */
  frameAt(seconds) { return this.clamp(this.at(seconds + ROUNDING, true) - 1); }
  rangeOf(first, last) { return [this.timeOf(first), this.endOf(last)]; }
  /** The first and the last frame seen in a range; one that appears at its end is not in it. */
  framesOf(start, end) { const first = this.frameAt(start); return [first, Math.max(first, this.clamp(this.at(end - ROUNDING, false) - 1))]; }
  snapped(start, end) { return this.rangeOf(...this.framesOf(start, end)); }
  middle(frame) { return (this.timeOf(frame) + this.endOf(frame)) / 2; }
}

/** The index as the server wrote it: a head of text, then 64-bit numbers. */
function readFrames(buffer) {
  const bytes = new Uint8Array(buffer), cut = bytes.indexOf(10);
  const [name, version, base, end, , count] = new TextDecoder().decode(bytes.subarray(0, cut)).split(" ");
  if (name !== "argus-frames" || version !== "1") throw new Error("not a frame index of this version");
  const view = new DataView(buffer, cut + 1), [up, down = 1] = base.split("/").map(Number);
  const ticks = Float64Array.from({ length: Number(count) }, (_, i) => Number(view.getBigInt64(8 * i, true)));
  const seconds = (tick) => (tick * up) / down;
  const at = (time, after) => {  // how many frames have appeared before a time, or at it
    let low = 0, high = ticks.length;
    const wanted = time / (up / down);
    while (low < high) { const mid = (low + high) >> 1; if (after ? ticks[mid] <= wanted : ticks[mid] < wanted) low = mid + 1; else high = mid; }
    return low;
  };
  return new Frames(ticks.length, (frame) => seconds(ticks[frame]), seconds(Number(end)), at);
}

/** Steps of a hundredth of a second, for a sound. */
function soundSteps(start, duration) {
  const time = (step) => Math.round((start + step / SOUND_STEP) * 1e6) / 1e6;
  const at = (seconds, after) => { const n = (seconds - start) * SOUND_STEP; return after ? Math.floor(n) + 1 : Math.ceil(n); };
  return new Frames(Math.max(1, Math.ceil(duration * SOUND_STEP - 1e-6)), time, Math.round((start + duration) * 1e6) / 1e6, at);
}

/** A time as people write it: 0:12.4, 1:02:03.5. */
function clipTime(seconds, digits = 1) {
  const unit = 10 ** digits, whole = Math.round(Math.abs(seconds) * unit), s = whole / unit;
  const [hours, minutes] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  const rest = ((whole % (60 * unit)) / unit).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return `${seconds < 0 ? "−" : ""}${hours ? `${hours}:${String(minutes).padStart(2, "0")}` : minutes}:${rest}`;
}

const clipRange = ([from, to], digits = 1) => `${clipTime(from, digits)}–${clipTime(to, digits)}`;

// ---------------------------------------------------------------- boxes in a range

/** The box at a time: straight between two keyframes, still before the first and after the last. */
function boxAt(keyframes, time) {
  const keys = [...keyframes].sort((a, b) => a[0] - b[0]);
  if (!keys.length) return null;
  const after = keys.findIndex((k) => k[0] >= time);
  if (after <= 0) return tidyBox((after ? keys.at(-1) : keys[0]).slice(1));
  const [before, next] = [keys[after - 1], keys[after]], share = (time - before[0]) / (next[0] - before[0]);
  return tidyBox([1, 2, 3, 4].map((i) => before[i] + (next[i] - before[i]) * share));
}

/** The keyframes with one more, in order of time; one at the same time is replaced. */
const setKeyframe = (keyframes, time, box) => [...keyframes.filter((k) => k[0] !== time), [time, ...tidyBox(box)]].sort((a, b) => a[0] - b[0]);

/** The keyframes without the one nearest to a time. */
function removeKeyframe(keyframes, time) {
  const nearest = [...keyframes].sort((a, b) => Math.abs(a[0] - time) - Math.abs(b[0] - time))[0];
  return keyframes.filter((k) => k !== nearest);
}

/** The keyframes of a range that became shorter: the box stays where it was at each time that is left. */
function trimKeyframes(keyframes, from, lastFrame) {
  const isInside = (k) => k[0] >= from && k[0] <= lastFrame;
  let kept = keyframes.filter(isInside);
  for (const [edge, isCut] of [[from, keyframes.some((k) => k[0] < from)], [lastFrame, keyframes.some((k) => k[0] > lastFrame)]]) {
    if (isCut) kept = setKeyframe(kept, edge, boxAt(keyframes, edge));
  }
  return kept;
}
