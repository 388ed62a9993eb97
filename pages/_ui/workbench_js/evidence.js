// The evidence: the text with its marks, and what the mouse selects in it.
//
// The text is cut at every edge of a mark, so overlapping marks need no nesting: each piece carries
// all underlines that run through it. It is painted in blocks of a few paragraphs, and a block is
// painted again only when a mark in it changed: a long report stays fluid.

const COLOURS = 8;
const BLOCK = 700;  // UTF-16 units, at least, before a block may end at a line's end

const colourOf = (number) => ((number - 1) % COLOURS) + 1;

/** Everything to be drawn: [{event, part, number, a, b, kind, label, decision}] in units, by start. */
function marksOf(B) {
  const marks = [];
  B.doc.events.forEach((event, i) => {
    const type = B.types.get(event.event_type);
    const add = (slot, part, kind) => {
      const decision = !isLive(event) ? "rejected" : slot.decision;
      const label = kind === "trigger" ? "" : B.label(type?.roles.find((r) => r.name === slot.role) ?? { name: slot.role });
      for (const [start, end] of spansOf(slot)) {
        marks.push({ event: event.id, part, number: i + 1, a: B.T.unit(start), b: B.T.unit(end), kind, label, decision });
      }
    };
    if (event.trigger) add(event.trigger, "t", "trigger");
    for (const slot of event.arguments) add(slot, `a:${slot.id}`, "argument");
  });
  return layMarks(marks.sort((x, y) => x.a - y.a || y.b - x.b));
}

/** Give each mark a lane so that underlines that overlap lie below each other; one trigger is a chip. */
function layMarks(marks) {
  const ends = [];
  let chipEnd = -1;
  for (const mark of marks) {
    mark.chip = mark.kind === "trigger" && mark.a >= chipEnd;
    if (mark.chip) { chipEnd = mark.b; mark.lane = -1; continue; }
    let lane = ends.findIndex((end) => end <= mark.a);
    if (lane < 0) lane = ends.length;
    ends[lane] = mark.b;
    mark.lane = lane;
  }
  marks.lanes = ends.length;
  return marks;
}

/** Make the blocks of a new text. */
function buildEvidence(B) {
  const host = B.el.evidence;
  host.lang = B.sample.language;
  host.dir = B.sample.direction;
  host.classList.toggle("spaced", !WITHOUT_SPACES.has(B.sample.language));
  const text = B.T.text;
  B.blocks = [];
  for (let at = 0; at < text.length;) {
    let end = text.indexOf("\n", at + BLOCK);
    end = end < 0 ? text.length : end + 1;
    const node = document.createElement("div");
    node.className = "block";
    B.blocks.push({ a: at, b: end, node, sign: null });
    at = end;
  }
  const none = text || B.sample.media.length ? [] : [h("p", { class: "soft", text: B.w("evidence.none", { media: B.sample.media.map((m) => m.id).join(", ") }) })];
  host.replaceChildren(...B.blocks.map((block) => block.node), ...none);
  host.scrollTop = 0;
}

/** Paint what changed. */
function paintEvidence(B) {
  const marks = marksOf(B);
  B.marks = marks;
  B.el.evidence.style.setProperty("--lanes", Math.max(0, marks.lanes - 2));
  const stale = [];
  for (const block of B.blocks) {
    const inside = marks.filter((m) => m.a < block.b && m.b > block.a);
    const picked = B.sel && B.sel.a < block.b && B.sel.b > block.a ? [B.sel.a, B.sel.b] : null;
    const hot = inside.map((m) => heat(B, m));
    const sign = JSON.stringify([inside, picked, hot]);
    if (sign === block.sign) continue;
    block.sign = sign;
    paintBlock(B, block, inside, picked);
    stale.push(block.node);
  }
  if (stale.length) fitTags(B, stale);
}

/** How much a mark is lifted: 2 the focused slot, 1 the focused event, 0 the others. */
function heat(B, mark) {
  const at = B.hover ?? B.focus;
  if (!at || at.event !== mark.event) return 0;
  return at.part === mark.part ? 2 : 1;
}

function paintBlock(B, block, marks, picked) {
  const clip = (at) => Math.max(block.a, Math.min(block.b, at));
  const cuts = new Set([block.a, block.b]);
  for (const m of marks) { cuts.add(clip(m.a)); cuts.add(clip(m.b)); }
  if (picked) { cuts.add(clip(picked[0])); cuts.add(clip(picked[1])); }
  const edges = [...cuts].sort((x, y) => x - y);
  const pieces = document.createDocumentFragment();
  for (let i = 0; i + 1 < edges.length; i++) {
    const [a, b] = [edges[i], edges[i + 1]];
    const over = marks.filter((m) => m.a <= a && m.b >= b);
    const isPicked = picked && picked[0] <= a && picked[1] >= b;
    const piece = document.createElement("span");
    piece.textContent = B.T.text.slice(a, b);
    if (over.length || isPicked) dressPiece(B, piece, a, b, over, isPicked, block);
    pieces.append(piece);
  }
  block.node.replaceChildren(pieces);
}

function dressPiece(B, piece, a, b, over, isPicked, block) {
  piece.className = "piece";
  if (isPicked) piece.classList.add("picked");
  const chip = over.find((m) => m.chip);
  const top = Math.max(0, ...over.map((m) => heat(B, m)));
  if (top) {
    const lifted = over.find((m) => heat(B, m) === top);
    piece.classList.add(`hot${top}`);
    piece.style.setProperty("--c", `var(--e${colourOf(lifted.number)})`);
  }
  if (chip) {
    piece.classList.add("chip", chip.decision);
    if (a === chip.a) piece.classList.add("first");
    if (b === chip.b) piece.classList.add("last");
    piece.style.setProperty("--c", `var(--e${colourOf(chip.number)})`);
  }
  const lines = over.filter((m) => !m.chip);
  piece.classList.toggle("lined", lines.length > 0);
  const layers = lines.map((m) => [drawLine(m), `0 calc(var(--line) + ${m.lane * 5}px)`, `100% ${heat(B, m) === 2 ? 3 : 2}px`]);
  if (chip) layers.push(["linear-gradient(var(--fill),var(--fill))", "0 0", "100% var(--line)"]);
  ["backgroundImage", "backgroundPosition", "backgroundSize"].forEach((name, i) => { piece.style[name] = layers.map((l) => l[i]).join(","); });
  const starts = over.filter((m) => m.a === a || (a === block.a && m.a < a));
  const numbers = starts.filter((m) => m.kind === "trigger");
  if (numbers.length) piece.append(makeTag(B, "number", numbers.map((m) => [String(m.number), m]), 0));
  const labels = starts.filter((m) => m.label);
  if (labels.length) {
    piece.append(makeTag(B, "roles", labels.map((m) => [m.label, m]), Math.max(...labels.map((m) => m.lane))));
  }
}

function drawLine(mark) {
  const colour = `var(--e${colourOf(mark.number)})`;
  if (mark.decision === "open") return `repeating-linear-gradient(90deg,${colour} 0 5px,transparent 5px 8px)`;
  const shade = mark.decision === "rejected" ? `color-mix(in srgb,${colour} 30%,transparent)` : colour;
  return `linear-gradient(${shade},${shade})`;
}

/** Small type beside a piece. Its words are drawn by CSS, so that they never count as text. */
function makeTag(B, name, parts, lane) {
  const tag = document.createElement("span");
  tag.className = `tag ${name}`;
  tag.style.setProperty("--lane", lane);
  for (const [words, mark] of parts) {
    const part = document.createElement("span");
    part.dataset.t = words;
    part.className = mark.decision;
    part.style.setProperty("--c", `var(--e${colourOf(mark.number)})`);
    if (heat(B, mark) === 2) tag.classList.add("hot");
    tag.append(part);
  }
  return tag;
}

/** Keep role names from running into each other or out of the pane: all reads first, then all writes. */
function fitTags(B, nodes) {
  const rtl = B.sample.direction === "rtl";
  const pane = B.el.evidence.getBoundingClientRect();
  const tags = nodes.flatMap((n) => [...n.querySelectorAll(".tag.roles:not(.hot)")]).map((node) => {
    const box = node.getBoundingClientRect();
    const line = node.parentElement.getClientRects()[0]?.top ?? 0;
    return { node, line, top: box.top, from: rtl ? -box.right : box.left, size: node.scrollWidth };
  });
  tags.sort((x, y) => x.line - y.line || x.from - y.from);
  const edge = rtl ? -pane.left + 12 : pane.right + 12;
  tags.forEach((tag, i) => {
    let limit = edge;
    for (let k = i + 1; k < tags.length && Math.abs(tags[k].line - tag.line) < 4; k++) {
      if (Math.abs(tags[k].top - tag.top) < 12) { limit = Math.min(limit, tags[k].from - 4); break; }
    }
    tag.node.style.maxWidth = tag.from + tag.size > limit ? `${Math.max(16, limit - tag.from)}px` : "";
  });
}

// ---------------------------------------------------------------- the mouse

/** The UTF-16 offset of a DOM point inside the evidence, or null outside. */
function offsetOf(B, node, offset) {
  const block = B.blocks.find((one) => one.node.contains(node));
  if (!block) {
    if (node !== B.el.evidence) return null;
    return offset < B.blocks.length ? B.blocks[offset].a : B.T.text.length;
  }
  const range = document.createRange();
  range.setStart(block.node, 0);
  range.setEnd(node, offset);
  return block.a + range.toString().length;
}

/** Take over what the browser selected; a click without a selection focuses what lies there. */
function takeSelection(B) {
  const native = document.getSelection();
  if (!native || !native.rangeCount) return;
  const range = native.getRangeAt(0);
  const touches = (node) => B.el.evidence.contains(node);
  if (!touches(range.startContainer) && !touches(range.endContainer)) return;
  const a = touches(range.startContainer) ? offsetOf(B, range.startContainer, range.startOffset) : 0;
  const b = touches(range.endContainer) ? offsetOf(B, range.endContainer, range.endOffset) : B.T.text.length;
  if (a === b) { clickAt(B, a); return; }
  native.removeAllRanges();
  const found = snapRange(B.T, a, b, B.byWord);
  if (found) B.select(found, { fill: true });
}

/** A click on marks focuses the innermost; clicking again goes to the next one out. */
function clickAt(B, at) {
  const here = B.marks.filter((m) => m.a <= at && m.b > at).sort((x, y) => x.b - x.a - (y.b - y.a));
  B.sel = null;
  seekSaid(B, at);
  if (!here.length) { B.cursor = at; B.paint(); return; }
  const now = here.findIndex((m) => B.focus && m.event === B.focus.event && m.part === B.focus.part);
  const next = here[(now + 1) % here.length];
  B.cursor = at;
  B.setFocus(next.event, next.part);
}

/** Bring the focused mark into view, if it is out of it. */
function revealMark(B) {
  const mark = B.focus && B.marks.find((m) => m.event === B.focus.event && (B.focus.part === m.part || B.focus.part === ""));
  if (mark) revealUnit(B, mark.a);
}

function revealUnit(B, unit) {
  const block = B.blocks.find((one) => unit >= one.a && unit < one.b);
  if (!block) return;
  let at = block.a;
  for (const piece of block.node.childNodes) {
    if (unit < at + piece.textContent.length) {
      const box = piece.getBoundingClientRect(), pane = B.el.scroller.getBoundingClientRect();
      if (box.top < pane.top + 30 || box.bottom > pane.bottom - 40) piece.scrollIntoView({ block: "center" });
      return;
    }
    at += piece.textContent.length;
  }
}
