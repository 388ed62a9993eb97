// What a person does to the events: each edit is one change that can be undone.

const REASONS = ["type", "boundary", "role", "hallucinated", "language", "duplicate", "other"];

Object.assign(Bench.prototype, {
  put() {
    const picked = this.picked();
    if (!picked) { this.say(this.w(this.focus ? "put.no_selection" : "put.no_event")); return; }
    this.putPicked(picked);
  },

  /** Put {spans} or {place} into the armed slot, the focused one, or an empty trigger; whether it was put. */
  putPicked(picked) {
    const target = this.armed ?? (this.focus?.part ? this.focus : null);
    if (target) return this.fill(target.event, target.part, picked);
    if (this.event && !this.event.trigger && isLive(this.event)) return this.fill(this.event.id, "t", picked);
    this.say(this.w(this.event ? "put.choose_role" : "put.no_event"));
    return false;
  },

  fill(id, part, picked) {
    const event = eventOf(this.doc, id);
    if (!event || !isLive(event)) { this.say(this.w("put.rejected")); return false; }
    const [next, landed] = putPicked(this.doc, id, part, picked, this.T, this.type(event));
    this.cursor = this.sel?.b ?? this.cursor;
    this.sel = null;
    this.pane?.drop?.();
    this.armed = null;
    this.change(next, { event: id, part: landed });
    this.reveal();
    return true;
  },

  digit(n) {
    if (this.event) this.takeRole(this.event.id, n - 1);
    else this.say(this.w("put.no_event"));
  },

  /** A role by its number: filled at once with what is selected, else armed. */
  takeRole(id, index) {
    const event = eventOf(this.doc, id);
    const role = isLive(event) && this.type(event)?.roles[index];
    if (!role) { this.say(this.w("role.none", { n: index + 1 })); return; }
    const picked = this.picked();
    if (picked) { this.fill(id, `r:${role.name}`, picked); return; }
    if (this.focus?.event !== id) this.focus = { event: id, part: "" };
    this.arm(id, `r:${role.name}`);
  },

  arm(event, part) {
    this.armed = { event, part };
    if (this.picked()) this.put();
    else this.paint();
  },

  accept(advance) {
    if (!this.event || this.focus.part.startsWith("r:")) return;
    if (this.focus.part && !this.slot) return;
    const { event, part } = this.focus;
    this.change(acceptPart(this.doc, event, part));
    if (advance) this.advance();
  },

  acceptAll(threshold = Number(this.el.threshold.value)) { this.change(acceptAll(this.doc, threshold)); },

  reject() {
    const item = this.focus && (this.focus.part ? this.slot : this.event);
    if (!item) return;
    const { event, part } = this.focus;
    const stays = item.origin !== "person";
    const near = part ? "" : this.neighbour(1)?.id ?? this.neighbour(-1)?.id;
    this.change(rejectPart(this.doc, event, part, item.reason), stays ? null : part ? { event, part: "" } : near ? { event: near, part: "" } : null);
    if (!stays && !eventOf(this.doc, this.focus?.event)) this.focus = null;
    if (stays) this.askReason(event, part);
    else this.paint();
  },

  askReason(event, part) {
    const items = REASONS.map((code) => ({ label: this.w(`reason.${code}`), code, search: [] }));
    openList(this, {
      title: this.w("reason.title"), items, numbered: true, quick: true,
      onChoose: ({ code }) => { this.change(giveReason(this.doc, event, part, code)); this.advance(); },
    });
  },

  /** A type (or, on an argument, a role) chosen by typing a few letters. */
  chooseType() {
    if (!this.event) return;
    const { event, part } = this.focus;
    if (part.startsWith("a:")) {
      const items = (this.type(this.event)?.roles ?? []).map((role) => this.option(role));
      openList(this, { title: this.w("choose.role"), items, typed: true, onChoose: ({ name }) => this.change(setRole(this.doc, event, part, name)) });
    } else this.pickType((name) => this.change(setType(this.doc, event, name)));
  },

  newEvent() {
    this.pickType((name) => {
      const picked = this.picked();
      const [next, id] = addEvent(this.doc, name, picked, this.T);
      if (this.sel) this.cursor = this.sel.b;
      this.sel = null;
      this.pane?.drop?.();
      this.armed = picked ? null : { event: id, part: "t" };
      this.change(next, { event: id, part: picked ? "" : "t" });
      this.reveal();
    });
  },

  pickType(onName) {
    const items = this.data.schema.map((type) => this.option(type));
    openList(this, { title: this.w("choose.type"), items, typed: true, onChoose: ({ name }) => onName(name) });
  },

  /** What kind of thing the focused mention is, of those that its role takes. */
  chooseKind() {
    const { event, part } = this.focus ?? {};
    if (!this.slot || part === "t") { this.say(this.w("edge.none")); return; }
    const kinds = this.type(this.event)?.roles.find((r) => r.name === this.slot.role)?.entity_kinds ?? [];
    if (!kinds.length) { this.say(this.w("kind.missing")); return; }
    const items = [...kinds.map((name) => ({ name, label: name, search: [name] })), { name: null, label: this.w("kind.none"), search: [] }];
    openList(this, { title: this.w("kind.title"), items, typed: true, onChoose: ({ name }) => this.change(setKind(this.doc, event, part, name)) });
  },

  option(item) {
    const label = this.label(item);
    return { name: item.name, label, more: label === item.name ? null : item.name, search: [item.name, ...Object.values(item.labels ?? {})] };
  },

  noEvent() { this.change(toggleNoEvent(this.doc)); if (!eventOf(this.doc, this.focus?.event)) this.focus = null; this.paint(); },
  duplicate() { if (this.event) { const [next, id] = duplicateEvent(this.doc, this.event.id); this.change(next, { event: id, part: "" }); } },
  merge() { if (this.event && isLive(this.event)) { const [next, id] = mergeEvent(this.doc, this.event.id); this.change(next, { event: id, part: "" }); } },
  split() { if (this.event && isLive(this.event)) { const [next, id] = splitEvent(this.doc, this.event.id, this.focus.part); this.change(next, { event: id, part: "" }); } },

  /** Add what is selected to the focused span: it then has several pieces. */
  addFragment() {
    const spans = spansOf(this.slot);
    if (!this.sel || !spans.length) { this.say(this.w("fragment.how", { key: this.keyName("fragment") })); return; }
    this.fill(this.focus.event, this.focus.part, { spans: [...spans, [this.T.point(this.sel.a), this.T.point(this.sel.b)]] });
  },

  /** The words of a slot that were not found: likely places, best first. */
  findWords() {
    const { event, part } = this.focus;
    const found = findCandidates(this.T, this.slot?.text ?? "");
    if (!found.length) { this.say(this.w("find.none")); return; }
    const items = found.map((c) => ({ ...c, label: `…${this.T.text.slice(Math.max(0, c.a - 12), c.a)}[${this.T.text.slice(c.a, c.b)}]${this.T.text.slice(c.b, c.b + 12)}…`, more: `${Math.round(c.score * 100)} %`, search: [] }));
    openList(this, { title: this.w("find.title"), items, numbered: true, onChoose: ({ a, b }) => this.fill(event, part, { spans: [[this.T.point(a), this.T.point(b)]] }) });
  },

  takeOffer() { const offer = this.offer; this.offer = null; this.change(mergeSuggestion(this.doc, offer)); },
  leaveOffer() { this.left = this.offer.suggestion; this.offer = null; this.paint(); },

  /** A suggestion that came while the person was at work is offered, not put between their events. */
  checkOffer() {
    const { fresh } = this.sample;
    const isNew = fresh.suggestion && !this.doc.suggestion && this.rev > 0 && fresh.suggestion !== this.left;
    this.offer = isNew && fresh.events.length ? fresh : null;
  },
});
