// The mouse on a picture: drawing, moving and resizing boxes, picking words, zoom and pan.

const CLICK = 3;  // screen pixels that a hand may tremble in a click

function listenToPicture(P) {
  const { view, B } = P;
  view.onpointerdown = (e) => press(P, e);
  view.onpointermove = (e) => { if (P.drag) draw(P, e); };
  view.onpointerup = (e) => { if (P.drag) letGo(P, e); };
  view.onpointercancel = () => { P.drag = null; P.paint(); };
  view.onkeyup = (e) => { if (e.key === " ") P.isSpace = false; };
  view.onblur = () => { P.isSpace = false; };
  view.ondragstart = (e) => e.preventDefault();
  view.addEventListener("wheel", (e) => {
    e.preventDefault();
    B.active();
    const [px, py] = pointIn(P, e);
    P.zoomBy(WHEEL ** -(e.deltaMode === 1 ? e.deltaY * 32 : e.deltaY), px + P.x, py + P.y);
  }, { passive: false });
}

/** Where the mouse is, in screen pixels from the picture's corner. */
function pointIn(P, e) {
  const host = P.view.getBoundingClientRect();
  return [e.clientX - host.left - P.view.clientLeft - P.x, e.clientY - host.top - P.view.clientTop - P.y];
}

function press(P, e) {
  if (e.button > 1) return;
  e.preventDefault();
  P.view.focus({ preventScroll: true });
  try { P.view.setPointerCapture(e.pointerId); } catch { /* an event that no mouse made */ }
  const from = pointIn(P, e), chosen = P.chosen();
  const handle = e.target.dataset?.handle;
  const at = [from[0] / P.across, from[1] / P.down];
  const drag = { from, box: null, moved: false, chosen: null };
  if (e.button === 1 || P.isSpace) drag.kind = "pan";
  else if (handle && chosen) Object.assign(drag, { kind: "pull", handle, chosen });
  else if (P.isReading && P.words.at(...at)) Object.assign(drag, { kind: "read", word: P.words.at(...at) });
  else if (chosen && !P.B.armed && !e.shiftKey && boxHolds(chosen.box, ...at)) Object.assign(drag, { kind: "move", chosen });
  else drag.kind = "draw";
  P.drag = drag;
}

function draw(P, e) {
  const { drag } = P, [x, y] = pointIn(P, e);
  const [dx, dy] = [x - drag.from[0], y - drag.from[1]];
  if (!drag.moved && Math.hypot(dx, dy) < CLICK) return;
  drag.moved = true;
  if (drag.kind === "pan") { P.pan(dx, dy); return; }  // the picture's corner moves along
  if (drag.kind === "read") { P.words.select(drag.word, P.words.nearest(x / P.across, y / P.down)); return; }
  drag.box = drag.kind === "draw" ? boxBetween(...drag.from, x, y, P.across, P.down)
    : drag.kind === "move" ? moveBox(drag.chosen.box, dx / P.across, dy / P.down)
    : pullBox(drag.chosen.box, drag.handle, dx / P.across, dy / P.down);
  P.paint();
}

function letGo(P, e) {
  draw(P, e);
  const { drag } = P;
  P.drag = null;
  if (drag.kind === "pan") return;
  if (!drag.moved) { if (drag.kind === "read") P.words.take(drag.word, drag.word); else clickOn(P, drag.from, e); return; }
  if (drag.kind === "read") P.words.finish();
  else if (!drag.box) P.paint();
  else if (drag.kind === "draw") P.take(P.placeFor(drag.box));
  else P.edit(drag.box);
}

/** A click takes the smallest box under it, a further click the next one out; a word where a slot waits. */
function clickOn(P, [px, py], e) {
  const { B } = P, at = [px / P.across, py / P.down];
  const word = P.words.at(...at);
  const here = P.marks().filter((m) => boxHolds(m.box, ...at, 2 / P.across)).sort((a, b) => a.box[2] * a.box[3] - b.box[2] * b.box[3]);
  if (word && (B.armed || !here.length || e.shiftKey)) { P.words.take(e.shiftKey && P.words.last ? P.words.last : word, word); return; }
  P.drop();
  if (!here.length) { B.paint(); return; }
  const now = here.findIndex((m) => B.focus && m.event === B.focus.event && m.part === B.focus.part);
  const next = here[(now + 1) % here.length];
  B.setFocus(next.event, next.part);
}
