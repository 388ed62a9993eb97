// What is said in a clip, where the sample's text is its transcript: text and time lead to each other.

const saidIn = new WeakMap();  // sample: its spans as [{a, b, from, to}], in UTF-16 units and seconds, by place

/** The spans of the text that have times, where it is the transcript of this medium; else none. */
function spansSaid(B, medium) {
  const { transcript } = B.sample ?? {};
  if (!transcript || transcript.media !== medium?.id) return [];
  if (!saidIn.has(B.sample)) {
    saidIn.set(B.sample, transcript.spans.map(([start, end, from, to]) => ({ a: B.T.unit(start), b: B.T.unit(end), from, to })));
  }
  return saidIn.get(B.sample);
}

/** When a piece of the text is said, or null. */
function timeSaid(B, medium, a, b) {
  const hit = spansSaid(B, medium).filter((s) => s.a < b && a < s.b);
  return hit.length ? [Math.min(...hit.map((s) => s.from)), Math.max(...hit.map((s) => s.to))] : null;
}

/** Mentions in the text as ranges of the clip: they follow the words, and have no edges of their own. */
function textBars(B, medium) {
  if (!spansSaid(B, medium).length) return [];
  return (B.marks ?? []).flatMap((mark) => {
    const range = timeSaid(B, medium, mark.a, mark.b);
    return range ? [{ event: mark.event, part: mark.part, number: mark.number, kind: mark.kind, label: mark.label || B.w("slot.trigger"), decision: mark.decision, range, keyframes: [], isText: true }] : [];
  });
}

/** The range of what is selected in the text. */
const saidSelection = ({ B, medium, spoken }) => (B.sel ? timeSaid(B, medium, B.sel.a, B.sel.b) : spoken?.range() ?? null);

/** A click into the text: the clip goes there. */
function seekSaid(B, at) {
  const range = B.pane?.medium && timeSaid(B, B.pane.medium, at, at + 1);
  if (range) B.pane.goTo(range);
}

/** The focused mention lies in the text: the clip goes to where it is said. */
function revealSaid(B) {
  const spans = spansOf(B.focus?.part ? B.slot : B.event?.trigger);
  const range = spans.length && B.pane?.medium && timeSaid(B, B.pane.medium, B.T.unit(spans[0][0]), B.T.unit(spans.at(-1)[1]));
  if (range) B.pane.goTo(range);
}

/** Light the words that are said now. Nothing in the text changes for it, so a long text stays fluid. */
function lightSaid({ B, medium, isPlaying }, time) {
  if (!window.CSS?.highlights) return;
  const now = spansSaid(B, medium).filter((s) => s.from <= time + ROUNDING && time < s.to);
  const sign = now.map((s) => s.a).join();
  if (sign === B.saidNow && !now.length) return;
  const ranges = now.map((s) => rangeOfUnits(B, s.a, s.b)).filter(Boolean);
  if (ranges.length) CSS.highlights.set("argus-said", new Highlight(...ranges));
  else CSS.highlights.delete("argus-said");
  if (isPlaying && ranges.length && sign !== B.saidNow) keepInSight(B, ranges[0]);
  B.saidNow = sign;
}

function dropSaid(B) { window.CSS?.highlights?.delete("argus-said"); B.saidNow = ""; }

function keepInSight(B, range) {
  const box = range.getBoundingClientRect(), pane = B.el.scroller.getBoundingClientRect();
  if (box.top < pane.top || box.bottom > pane.bottom) B.el.scroller.scrollTop += box.top - pane.top - pane.height / 3;
}

/** A piece of the text as a range of the page, null where it is not there. */
function rangeOfUnits(B, a, b) {
  const start = pointOfUnit(B, a, false), end = pointOfUnit(B, b, true);
  if (!start || !end) return null;
  const range = document.createRange();
  range.setStart(...start);
  range.setEnd(...end);
  return range;
}

function pointOfUnit(B, unit, isEnd) {
  const block = B.blocks.find((one) => unit >= one.a && (isEnd ? unit <= one.b && unit > one.a : unit < one.b));
  let at = block?.a;
  for (const piece of block?.node.childNodes ?? []) {
    const text = piece.firstChild, length = text?.data?.length ?? 0;
    if (isEnd ? unit <= at + length : unit < at + length) return text ? [text, unit - at] : null;
    at += length;
  }
  return null;
}
