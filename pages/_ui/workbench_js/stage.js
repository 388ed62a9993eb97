// The stage: the pictures, clips and sounds of a sample, above its text.
//
// A medium is shown by a pane: {paint(), reveal(slot), key(chord, e), picked(), drop(), stop()}. The
// makers of panes and of the small pictures on the cards are found here by the kind of a medium.

const PANES = {};  // kind: (B, medium, host) => pane
const CROPS = {};  // kind: (B, medium, slot) => a small picture of the place, or null
const PLACES = {};  // kind: (B, medium, slot) => where it is, in words
let waitingSince = 0;

const mediumOf = (B, id) => B.sample?.media.find((m) => m.id === id) ?? null;
const hasPane = (medium) => medium?.state === "ready" && PANES[medium.kind];

/** All that points into a medium: [{event, part, number, kind, label, decision, page, box, range, keyframes, start, end}]. */
function mediaMarksOf(B, id) {
  const marks = [];
  B.doc.events.forEach((event, i) => {
    const type = B.types.get(event.event_type);
    const add = (slot, part, kind) => {
      if (!slot || slot.media !== id) return;
      const { page, box, range, keyframes, start, end, text } = slot;
      marks.push({
        event: event.id, part, number: i + 1, kind, page: page ?? null, box, range, keyframes: keyframes ?? [], start, end, text,
        label: kind === "trigger" ? B.w("slot.trigger") : B.label(type?.roles.find((r) => r.name === slot.role) ?? { name: slot.role }),
        type: B.label(type ?? { name: event.event_type }), decision: isLive(event) ? slot.decision : "rejected",
      });
    };
    add(event.trigger, "t", "trigger");
    for (const slot of event.arguments) add(slot, `a:${slot.id}`, "argument");
  });
  return marks;
}

/** What must be the same for a pane to stay: links change by the hour and change nothing. */
const signOfMedia = (media) => JSON.stringify(media.map(({ id, kind, state, problem, width, height, pages, duration, notes }) =>
  [id, kind, state, problem, width, height, pages, duration, notes]));

/** Make the stage of a new sample, or of one whose media are ready now. */
function buildStage(B) {
  const { media } = B.sample;
  const el = B.el;
  B.cards.clear();  // their crops come from what is ready now
  B.pane?.stop?.();
  B.pane = null;
  const isSame = B.stage?.sample === B.sample.key;
  B.stage = { sample: B.sample.key, sign: signOfMedia(media), shown: isSame ? B.stage.shown : media[0]?.id ?? null };
  el.stage.hidden = !media.length;
  el.left.classList.toggle("staged", media.length > 0);
  el.left.classList.toggle("bare", media.length > 0 && !B.sample.text);
  el.strip.hidden = media.length < 2;
  el.strip.replaceChildren(...(media.length < 2 ? [] : media.map((m, i) => button("thumb", B.w("stage.choose", { n: i + 1, name: m.name }), () => showMedium(B, m.id), {
    "data-medium": m.id, role: "tab", "aria-selected": "false",
  }, m.thumbnail ? h("img", { src: m.thumbnail, alt: "", loading: "lazy" }) : h("span", { class: "kind-of", text: m.kind }), h("span", { class: "marks" })))));
  if (media.length) showMedium(B, B.stage.shown, { again: true });
}

/** The sample is still the same: its media may have become ready, or have new links. */
function refreshStage(B) {
  if (B.stage?.sample !== B.sample.key || B.stage.sign !== signOfMedia(B.sample.media)) buildStage(B);
}

/** Show one medium of the sample. */
function showMedium(B, id, { again = false } = {}) {
  const medium = mediumOf(B, id) ?? B.sample.media[0];
  if (!medium || (!again && B.stage.shown === medium.id)) return;
  B.pane?.stop?.();
  B.pane = null;
  B.stage.shown = medium.id;
  for (const thumb of B.el.strip.children) thumb.setAttribute("aria-selected", String(thumb.dataset.medium === medium.id));
  B.el.pane.className = `pane ${medium.kind}`;
  B.el.pane.replaceChildren();
  waitingSince = Date.now();
  if (hasPane(medium)) B.pane = PANES[medium.kind](B, medium, B.el.pane);
  else paintWaiting(B, medium);
  paintStage(B);
}

/** A medium that is not there yet, or never will be, says why; what failed can be tried again. */
function paintWaiting(B, medium) {
  const job = B.data?.preparing ?? { state: "none" };
  const name = medium.name, seconds = Math.round((Date.now() - waitingSince) / 1000);
  const hasFailed = medium.state === "failed" && !B.line.queue.some((m) => m.value.act === "prepare" && m.value.media === medium.id);
  const words = medium.state === "missing" ? B.w("stage.missing", { name, why: medium.problem || B.w("stage.unknown") })
    : hasFailed ? B.w("stage.failed", { name, why: medium.problem })
    : job.state === "failed" ? B.w("stage.failed", { name, why: job.message })
    : job.worker === false ? B.w("stage.no_worker", { name })
    : job.state === "running" ? B.w("stage.waiting", { name, done: job.done, total: Math.max(job.done, job.total), seconds })
    : B.w("stage.queued", { name, seconds });
  const isBad = hasFailed || medium.state === "missing";
  const old = B.el.pane.querySelector(`.not-yet${isBad ? ".problem" : ":not(.problem)"} .line`);
  if (old) { setText(old, words); return; }
  const tryAgain = () => {
    waitingSince = Date.now();
    B.line.ask("ask", { act: "prepare", media: medium.id, at: B.sample.key });
    paintWaiting(B, medium);
  };
  B.el.pane.replaceChildren(h("div", { class: `not-yet${isBad ? " problem" : ""}` },
    medium.thumbnail ? h("img", { src: medium.thumbnail, alt: "" }) : null, h("p", { class: "line", role: isBad ? "alert" : "status", text: words }),
    hasFailed ? plain("plain strong", B.w("act.retry"), tryAgain) : null,
    isBad ? null : h("progress", { max: "1", value: job.total ? String(job.done / job.total) : null, "aria-label": B.w("stage.queued", { name, seconds: "" }) })));
}

function paintStage(B) {
  if (!B.sample?.media.length || B.stage?.sample !== B.sample.key) return;
  for (const thumb of B.el.strip.children) {
    const numbers = [...new Set(mediaMarksOf(B, thumb.dataset.medium).filter((m) => m.decision !== "rejected").map((m) => m.number))];
    const sign = numbers.join();
    const dots = thumb.querySelector(".marks");
    if (dots.dataset.sign === sign) continue;
    dots.dataset.sign = sign;
    dots.replaceChildren(...numbers.map((n) => h("i", { style: `--c:var(--e${colourOf(n)})`, text: String(n) })));
  }
  if (B.pane) B.pane.paint();
  else if (mediumOf(B, B.stage.shown)) paintWaiting(B, mediumOf(B, B.stage.shown));
}

/** Show the place of what is focused, if it lies in a medium. */
function revealInStage(B) {
  const event = B.event;
  if (!event || !B.sample.media.length) return;
  const slots = B.focus.part ? [B.slot] : [event.trigger, ...event.arguments];
  const inside = slots.filter((s) => s?.media && mediumOf(B, s.media));
  const slot = inside.find((s) => s.media === B.stage.shown) ?? inside[0];
  if (!slot) return;
  showMedium(B, slot.media);
  B.pane?.reveal(slot);
}

/** The next (1) or previous (-1) medium of a gallery. */
function stepMedium(B, by) {
  const { media } = B.sample;
  const at = media.findIndex((m) => m.id === B.stage.shown) + by;
  if (media[at]) showMedium(B, media[at].id);
}

/** Where the keyboard goes when a window closes: to the stage where that was worked in, else to the text. */
function focusHome(B) {
  const node = B.sample?.media.length && (B.inStage || !B.sample.text) ? B.el.pane.querySelector("[data-home]") : null;
  (node ?? B.el.evidence).focus({ preventScroll: true });
}

/** A key pressed while the stage has focus; true where it was used. */
function pressInStage(B, chord, e) {
  if (B.done || !B.el.stage.contains(e.target) || isTyping(e.target)) return false;
  if (B.pane?.key(chord, e)) return true;
  if ((chord === "[" || chord === "]") && B.sample.media.length > 1) { stepMedium(B, chord === "[" ? -1 : 1); return true; }
  return false;
}

Object.assign(Bench.prototype, {
  /** What is selected: {spans} in the text, {place} in a pane, or null. */
  picked() {
    if (this.sel) return { spans: [[this.T.point(this.sel.a), this.T.point(this.sel.b)]] };
    const place = this.pane?.picked() ?? null;
    return place && { place };
  },

  /** Put a place in a medium into the armed or the focused slot, as one change. */
  putPlace(place) { return this.putPicked({ place }); },

  /** What was selected in a pane just now: into the armed slot at once, else it stays selected. */
  pickPlace(place) {
    this.sel = null;
    if (this.armed) this.putPlace(place);
    else this.paint();
  },
});

/** A small picture of a slot's place, or null. */
function cropOf(B, slot) {
  const medium = slot.media && mediumOf(B, slot.media);
  return medium && hasPane(medium) ? CROPS[medium.kind]?.(B, medium, slot) ?? null : null;
}

/** What a slot says and exactly where, in words: for lists of what differs. */
function slotInWords(B, slot) {
  if (!slot.media || isUnanchored(slot)) return slot.text ?? "";
  const name = B.sample.media.length > 1 ? mediumOf(B, slot.media)?.name ?? slot.media : "";
  const [x, y, w, t] = (slot.box ?? []).map((share) => Number((100 * share).toFixed(1)));
  const where = [name, slot.page == null ? "" : B.w("place.page", { page: slot.page + 1 }), slot.range ? clipRange(slot.range, 3) : "",
    slot.box ? B.w("place.box_at", { x, y, w, h: t }) : "", slot.keyframes?.length ? B.w("place.boxes", { n: slot.keyframes.length }) : ""];
  return [slot.text, where.filter(Boolean).join(", ")].filter(Boolean).join(" · ");
}

/** A small picture of a slot's place, and where that is, for the cards. */
function placeOnCard(B, event, part, slot) {
  const medium = slot.media && mediumOf(B, slot.media);
  if (!medium || isUnanchored(slot)) return null;
  const crop = cropOf(B, slot);
  const where = PLACES[medium.kind]?.(B, medium, slot) ?? "";
  if (!crop && !where) return null;
  return button("place", B.w("place.crop", { media: medium.name }), () => {
    B.setFocus(event.id, part);
    B.inStage = true;
    focusHome(B);
    B.pane?.showOnce?.(slot);
  }, { "data-medium": medium.id },
    crop, where ? h("span", { class: "where", text: where }) : null);
}
