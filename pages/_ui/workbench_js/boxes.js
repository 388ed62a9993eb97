// Boxes as fractions of the upright picture, the same arithmetic as core/boxes.py: edges are rounded,
// never sizes, so that a box drawn at any zoom lies within half a screen pixel of where it is.

const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

const nineDigits = (v) => Number(v.toFixed(9)) + 0;

/** The box without the noise of arithmetic, nowhere past the edge of the picture. */
function tidyBox(box) {
  const [x, y, w, h] = box.map(nineDigits);
  return [x, y, x + w > 1 ? Math.min(w, 1 - x) : w, y + h > 1 ? Math.min(h, 1 - y) : h];
}

/** The part of a box that lies on the picture, null where nothing of it does. */
function clipBox([x, y, w, h]) {
  const [x0, y0] = [Math.max(x, 0), Math.max(y, 0)];
  const found = tidyBox([x0, y0, Math.min(x + w, 1) - x0, Math.min(y + h, 1) - y0]);
  return found[2] > 0 && found[3] > 0 ? found : null;
}

/** Left, top, right and bottom in whole screen pixels of a picture shown `across` by `down` pixels large. */
function edgesOf([x, y, w, h], across, down) {
  const round = (v) => Math.floor(v + 0.5);
  return [round(x * across), round(y * down), round((x + w) * across), round((y + h) * down)];
}

/** The box between two corners in screen pixels, in whichever order they were drawn; null without an area. */
function boxBetween(ax, ay, bx, by, across, down) {
  const [x0, x1] = [Math.min(ax, bx) / across, Math.max(ax, bx) / across];
  const [y0, y1] = [Math.min(ay, by) / down, Math.max(ay, by) / down];
  return clipBox([x0, y0, x1 - x0, y1 - y0]);
}

/** The smallest box that holds them all. */
function aroundBoxes(boxes) {
  const [x0, y0] = [0, 1].map((i) => Math.min(...boxes.map((b) => b[i])));
  const [x1, y1] = [0, 1].map((i) => Math.max(...boxes.map((b) => b[i] + b[i + 2])));
  return tidyBox([x0, y0, x1 - x0, y1 - y0]);
}

/** The box moved as it is, kept on the picture. */
function moveBox([x, y, w, h], dx, dy) {
  const keep = (v, size) => Math.max(0, Math.min(1 - size, v));
  return tidyBox([keep(x + dx, w), keep(y + dy, h), w, h]);
}

/** The box with the edges of a handle moved; only those change. Null where nothing would be left. */
function pullBox([x, y, w, h], handle, dx, dy) {
  let [x0, y0, x1, y1] = [x, y, x + w, y + h];
  if (handle.includes("w")) x0 += dx;
  if (handle.includes("e")) x1 += dx;
  if (handle.includes("n")) y0 += dy;
  if (handle.includes("s")) y1 += dy;
  return clipBox([Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0)]);
}

const boxHolds = ([x, y, w, h], px, py, slack = 0) => px >= x - slack && px <= x + w + slack && py >= y - slack && py <= y + h + slack;
const boxesMeet = (a, b) => a[0] < b[0] + b[2] && b[0] < a[0] + a[2] && a[1] < b[1] + b[3] && b[1] < a[1] + a[3];
