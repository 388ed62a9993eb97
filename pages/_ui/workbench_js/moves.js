// Moving: between events and slots, the cursor in the text, the edges of a span.

Object.assign(Bench.prototype, {
  hasPart(id, part) { const e = eventOf(this.doc, id); return !!e && (part === "" || partsOf(e, this.type(e)).includes(part)); },
  neighbour(by) { return this.doc.events[this.doc.events.findIndex((e) => e.id === this.focus?.event) + by] ?? null; },

  setFocus(event, part) {
    this.focus = { event, part };
    const e = eventOf(this.doc, event);
    const isEmpty = part.startsWith("r:") || (part === "t" && !e.trigger);
    this.armed = isEmpty && isLive(e) ? { event, part } : null;
    this.paint();
    this.reveal();
  },

  setHover(at) { if (JSON.stringify(at) !== JSON.stringify(this.hover)) { this.hover = at; paintEvidence(this); paintStage(this); } },

  moveEvent(by) {
    const inside = this.focus?.part && by < 0;  // up from a slot leads to its own event first
    const next = inside ? this.event : this.focus ? this.neighbour(by) : this.doc.events[by > 0 ? 0 : this.doc.events.length - 1];
    if (next) this.setFocus(next.id, "");
  },

  moveSlot(by) {
    if (!this.event) { this.moveEvent(1); return; }
    const parts = ["", ...partsOf(this.event, this.type(this.event))];
    const at = parts.indexOf(this.focus.part) + by;
    if (at >= 0 && at < parts.length) { this.setFocus(this.event.id, parts[at]); return; }
    const next = this.neighbour(by);
    if (next) this.setFocus(next.id, by > 0 ? "t" : partsOf(next, this.type(next)).at(-1));
  },

  /** After a decision: on to what is undecided. */
  advance() {
    if (this.focus?.part) { this.moveSlot(1); return; }
    const at = this.doc.events.findIndex((e) => e.id === this.focus?.event);
    const isOpen = (e) => isLive(e) && [e, e.trigger, ...e.arguments].some((i) => i?.decision === "open");
    const next = this.doc.events.slice(at + 1).find(isOpen);
    if (next) this.setFocus(next.id, "");
    else this.paint();
  },

  moveCursor(by, extend) {
    const steps = this.T.steps(this.byWord);
    if (!steps.length) return;
    const clamp = (i) => Math.max(0, Math.min(steps.length - 1, i));
    let head;
    if (!this.sel) {
      const from = this.slot ? this.T.unit(spansOf(this.slot)[0]?.[0] ?? this.T.point(this.cursor)) : this.cursor;
      const at = clamp(firstAbove(steps, 1, from));
      head = this.sel === null && by < 0 ? clamp(at - 1) : at;
      this.sel = { anchor: head, head };
    } else {
      this.sel.anchor ??= clamp(firstAbove(steps, 1, this.sel.a));
      this.sel.head ??= clamp(firstAbove(steps, 1, this.sel.b - 1));
      head = clamp(this.sel.head + by);
      this.sel = { anchor: extend ? this.sel.anchor : head, head };
    }
    const [low, high] = [Math.min(this.sel.anchor, head), Math.max(this.sel.anchor, head)];
    Object.assign(this.sel, { a: steps[low][0], b: steps[high][1] });
    this.paint();
    revealUnit(this, steps[head][0]);
  },

  /** Move an edge of what is selected, else of the focused span. */
  moveEdge(edge, by) {
    if (this.sel) { const [a, b] = moveEdge(this.T, [this.sel.a, this.sel.b], edge, by, this.byWord); this.sel = { a, b }; this.paint(); return; }
    const spans = spansOf(this.slot).map((s) => [...s]);
    if (!spans.length) { this.say(this.w("edge.none")); return; }
    const at = edge === "start" ? 0 : spans.length - 1;
    const moved = moveEdge(this.T, spans[at].map(this.T.unit), edge, by, this.byWord).map(this.T.point);
    if (String(moved) === String(spans[at])) return;  // no way to go: nothing was decided either
    spans[at] = moved;
    const [next] = putPicked(this.doc, this.focus.event, this.focus.part, { spans }, this.T, this.type(this.event));
    this.change(next);
  },

  reveal() {
    if (this.done) return;
    revealMark(this);
    revealInStage(this);
    revealSaid(this);
    const row = this.el.cards.querySelector(".row.at");
    (row?.classList.contains("head") ? row.parentElement : row)?.scrollIntoView({ block: "nearest" });
    this.announce();
  },

  announce() {
    const i = this.doc.events.findIndex((e) => e.id === this.focus?.event);
    if (i < 0) return;
    const part = this.focus.part;
    const item = part ? this.slot : this.event;
    const name = part === "" ? "" : part === "t" ? this.w("slot.trigger") : this.slot?.role ?? part.slice(2);
    this.el.live.textContent = [this.w("card.name", { n: i + 1, type: this.label(this.type(this.event) ?? { name: this.event.event_type }) }),
      name, item?.text ?? (part && item ? placeText(this, item) : ""), item ? this.w(`decision.${item.decision}`) : ""].filter(Boolean).join(", ");
  },

  /** What the mouse selected; with `fill` it goes into the armed slot at once. */
  select([a, b], { fill }) {
    this.sel = { a, b };
    this.pane?.drop?.();
    this.cursor = a;
    if (fill && this.armed) this.put();
    else this.paint();
  },

  toggleUnit() {
    this.byWord = !this.byWord;
    this.units[WITHOUT_SPACES.has(this.sample.language) ? "signs" : "words"] = this.byWord;
    spare.set("argus.units", this.units);
    if (this.sel) this.sel = { a: this.sel.a, b: this.sel.b };
    this.paint();
  },

  cancel() {
    if (this.sel) this.sel = null;
    else if (this.pane?.picked()) this.pane.drop?.();
    else if (this.armed) this.armed = null;
    else if (this.focus?.part) this.focus = { event: this.focus.event, part: "" };
    this.note = null;
    this.paint();
  },
});
