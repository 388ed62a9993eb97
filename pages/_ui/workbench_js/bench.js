// The workbench: what is open, what a person does with it, and what is painted after.

const UNDO = 200;       // steps that can be undone, also after a reload …
const UNDO_SIZE = 400_000;  // … and the characters of a draft that they may take together
const IDLE = 60_000;    // without a key or the mouse for this long, the clock of the review stands, ms

class Bench {
  constructor(root, words, person) {
    this.root = root;
    this.words = words;
    this.sample = null;
    this.cards = new Map();
    this.cache = new Map();
    this.sides = new Map();
    this.kept = new Map();
    this.tries = new Map();
    this.problems = new Set();
    this.suggesting = { state: "none" };
    this.showConfidence = spare.get("argus.confidence") ?? true;
    this.units = spare.get("argus.units") ?? {};
    this.labelChoice = spare.get("argus.labels");  // the language of types and roles, if one was chosen
    this.setKeys(spare.get("argus.keys") ?? {});
    this.line = new Line(person, (kind, value) => this.send(kind, value), () => this.sample && this.paintBar());
    buildFrame(this);
  }

  /** The text of the interface for a key, values filled in. */
  w(key, values = {}) {
    return (this.words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
  }

  label(item) { return item.labels?.[this.labelLanguage] || item.labels?.en || item.name; }
  type(event) { return this.types.get(event?.event_type); }
  get event() { return this.focus && eventOf(this.doc, this.focus.event); }
  get slot() { return this.focus && slotOf(this.event, this.focus.part); }

  // ------------------------------------------------------------ samples come and go

  /** What Python says, after each of its runs. */
  receive(data) {
    if (this.data && this.data.session !== data.session) this.line.again();  // the server came back
    this.data = data;
    const schema = JSON.stringify(data.schema);
    if (schema !== this.schema) this.cards.clear();  // other roles, other labels: paint every card again
    this.schema = schema;
    this.types = new Map(data.schema.map((type) => [type.name, type]));
    this.labelLanguages = labelLanguagesOf(data.schema);
    this.labelLanguage = [this.labelChoice, navigator.language.split("-")[0], data.language].find((code) => this.labelLanguages.includes(code)) ?? data.language;
    const refused = data.problems.filter((p) => !this.problems.has(p.id));
    const answered = this.line.answered(data.done, refused.map((p) => p.id));
    for (const payload of [data.open, data.next, data.previous]) if (payload) this.cache.set(payload.key, payload);
    if (this.cache.size > 12) for (const key of [...this.cache.keys()].slice(0, -12)) this.cache.delete(key);
    this.suggesting = data.suggesting;
    this.suggestedAt = performance.now();
    this.trouble = data.problems.find((p) => p.retry)?.message ?? null;
    const back = refused.find((p) => !p.retry && answered.some((m) => m.id === p.id && m.kind === "submit"));
    for (const problem of refused) if (!problem.retry) this.problems.add(problem.id);
    if (back) this.returnTo(answered.find((m) => m.id === back.id).value, back.message);
    else if (data.open?.key === this.sample?.key && data.open) this.refresh(data.open);
    else if (!this.line.queue.length || !this.started) this.open(data.open);
    for (const problem of refused) if (!problem.retry && problem !== back) this.say(problem.message, true);
    this.started = true;
    this.takeSide(data.side);
    paintTop(this);
    this.paint();
    this.line.pump();
  }

  /** Show a sample: with what the browser has unsent, else the server's draft, else fresh. A review that
   * somebody finished after the draft goes before it, and one undo brings the draft back. */
  open(payload, { isTold = false } = {}) {
    closeWindow(this);
    if (payload && this.line.submits(payload.stamp)) payload = this.data.next;  // finished before a reload
    this.done = !payload;
    if (!payload) {
      this.sample = null;
      this.paint();
      return;
    }
    const unsent = this.line.unsentDraft(payload.stamp);
    const ours = isDraftOf(unsent, payload) && !isNewer(payload.draft, unsent) ? unsent : null;
    if (unsent && !ours) spare.drop(this.line.draftKey(payload.stamp));
    const draft = ours ?? payload.draft;
    Object.assign(this, {
      sample: payload, T: makeText(payload.text ?? "", payload.language), base: payload.base,
      doc: draft?.document ?? payload.fresh, undo: draft?.undo ?? [], redo: draft?.redo ?? [],
      rev: draft?.rev ?? 0, savedRev: payload.draft?.rev ?? 0, writer: ours?.writer ?? newId(), after: ours?.after ?? draft?.rev ?? 0, seconds: draft?.seconds ?? 0,
      focus: null, armed: null, sel: null, cursor: 0, hover: null, left: null, note: null,
      lastAct: Date.now(),
      byWord: this.units[WITHOUT_SPACES.has(payload.language) ? "signs" : "words"] ?? !WITHOUT_SPACES.has(payload.language),
    });
    this.lastKey = payload.key;
    this.cards.clear();
    const first = this.doc.events.find((e) => isLive(e) && e.decision === "open") ?? this.doc.events[0];
    if (first) this.focus = { event: first.id, part: "" };
    this.tries.clear();
    buildEvidence(this);
    buildStage(this);
    buildExamples(this);
    this.askHelpLater();
    this.el.cards.scrollTop = 0;
    this.checkOffer();
    const changed = draft && !isTold && draft.base !== payload.base && stepBetween(this.doc, payload.fresh);
    const behind = changed && !isEmptyStep(changed);
    if (behind) Object.assign(this, { doc: payload.fresh, undo: newestSteps([...this.undo, changed]), redo: [], focus: null });
    if (behind || (ours && !this.line.waits(payload.stamp))) this.save();
    paintTop(this);
    this.paint();
    if (behind) this.say(this.w("draft.behind", { person: payload.reviewer || "–" }), true);
  }

  /** The open sample, as the server has it now: a draft of another window, or a suggestion, may be new. */
  refresh(payload) {
    const before = this.sample;
    const untouched = this.rev === 0;
    const elsewhere = isNewer(payload.draft, this) && !this.line.waits(payload.stamp);
    const moved = payload.base !== this.base || JSON.stringify(payload.fresh) !== JSON.stringify(before.fresh);
    if (payload.stamp !== before.stamp || elsewhere || (untouched && moved)) {
      const { sel, cursor } = this;
      this.open(payload);
      if (payload.stamp === before.stamp) Object.assign(this, { sel, cursor });
      if (elsewhere && !untouched) this.say(this.w("draft.elsewhere"), true);
      return;
    }
    this.sample = payload;
    this.savedRev = payload.draft?.rev ?? 0;
    refreshStage(this);
    this.checkOffer();
  }

  /** A submit was refused: show that sample again, as it was, with the reason. */
  returnTo(value, message) {
    const key = value.document.sample;
    const payload = this.data.open?.key === key ? this.data.open : this.cache.get(key);
    if (payload) {
      this.open(payload, { isTold: true });
      if (this.rev === 0) this.doc = value.document;
      this.ask("open");
    }
    this.say(message, true);
  }

  /** Go to the next (1) or previous (-1) sample without submitting. */
  go(step) {
    if (this.done) {
      if (this.lastKey) this.line.ask("open", { at: this.lastKey, from: this.lastKey, step: 0 });
      return;
    }
    const near = this.data.open?.key === this.sample?.key;
    const payload = near ? (step > 0 ? this.data.next : this.data.previous) : null;
    if (near && !payload) { this.say(this.w(step > 0 ? "sample.last" : "sample.first")); return; }
    this.line.ask("open", { at: payload?.key ?? null, from: this.sample?.key ?? null, step });
    if (payload) this.open(this.cache.get(payload.key) ?? payload);
  }

  submit() {
    if (this.done || this.line.submits(this.sample.stamp)) return;
    this.rules = violationsOf(this.doc, this.types);
    const fatal = this.rules.find((r) => r.fatal);
    if (fatal) { this.setFocus(fatal.event, fatal.part); this.say(ruleText(this, this.event, fatal), true); return; }
    if (!this.doc.events.some(isLive) && !this.doc.no_event) { this.say(this.w("submit.no_events", { key: this.keyName("none") }), true); return; }
    if (this.rules.length && !this.doc.override?.trim()) {
      const rule = this.rules[0];
      this.setFocus(rule.event, rule.part);
      askOverride(this, ruleText(this, this.event, rule));
      return;
    }
    const near = this.data.open?.key === this.sample.key;
    const following = near && this.data.next?.key !== this.sample.key ? this.data.next : null;
    const document = this.rules.length ? this.doc : { ...this.doc, override: null };
    this.line.submit(this.sample.stamp, {
      document, seconds: Math.round(this.seconds), base: this.base, at: following?.key ?? null, from: this.sample.key,
    });
    if (following) this.open(this.cache.get(following.key) ?? following);
    else { this.sample = null; this.done = true; this.leaving = true; this.paint(); }
  }

  // ------------------------------------------------------------ changes

  /** Take a new document: it can be undone, is kept here at once and sent to the server. */
  change(changed, focus = null) {
    const next = tidy(changed);
    const step = stepBetween(this.doc, next);
    if (focus) this.focus = focus;
    if (isEmptyStep(step)) { this.paint(); return false; }
    this.undo = newestSteps([...this.undo, step]);
    this.redo = [];
    this.doc = next;
    this.save();
    this.paint();
    return true;
  }

  save() {
    this.rev = Math.max(this.rev, this.savedRev) + 1;
    const { rev, writer, after, doc, undo, redo, seconds, base } = this;
    this.line.draft(this.sample.stamp, { rev, writer, after, document: doc, undo, redo, seconds: Math.round(seconds), base });
  }

  undoStep() { this.step(this.undo, "redo", 0); }
  redoStep() { this.step(this.redo, "undo", 1); }

  step(from, to, side) {
    if (!from.length) { this.say(this.w(side ? "redo.none" : "undo.none")); return; }
    const step = from[from.length - 1];
    const next = applyStep(this.doc, step, side);
    if (side) this.redo = from.slice(0, -1);
    else this.undo = from.slice(0, -1);
    this[to] = [...this[to], step];
    this.doc = next;
    this.armed = null;
    const touched = Object.keys(step.events).find((id) => eventOf(next, id));
    if (touched) this.focus = { event: touched, part: this.focus?.event === touched && this.hasPart(touched, this.focus.part) ? this.focus.part : "" };
    this.save();
    this.paint();
  }

  // ------------------------------------------------------------ the rest

  ask(act) {
    if (act === "open") this.line.ask("open", { at: this.sample.key, from: this.sample.key, step: 0 });
    else this.line.ask("ask", { act, job: this.suggesting.job ?? null, at: this.sample.key });
  }

  setFilter(change) {
    const { queue = "", language, unreviewed } = { ...this.data.filter, ...change };
    this.line.ask("filter", { queue, language, unreviewed, at: this.sample?.key ?? null });
  }

  setKeys(changed) {
    this.changedKeys = changed;
    spare.set("argus.keys", changed);
    this.keyMap = new Map(Object.entries(HABITS));
    for (const action of Object.keys(KEYS)) this.keyMap.set(changed[action] ?? KEYS[action], action);
  }

  keyName(action) { return showChord(this.changedKeys[action] ?? KEYS[action]); }

  /** Give an action another key; returns what to tell the person. */
  changeKey(action, chord) {
    const taken = this.keyMap.get(chord);
    if (/^[1-9]$/.test(chord) || chord === "Tab" || (taken && taken !== action)) {
      return this.w("help.taken", { key: showChord(chord), action: taken ? this.w(`key.${taken}`) : this.w("help.fixed") });
    }
    this.setKeys({ ...this.changedKeys, [action]: chord });
    return "";
  }

  /** Types and roles in the next language that the schema has labels in. */
  nextLabels() {
    const all = this.labelLanguages;
    this.labelChoice = this.labelLanguage = all[(all.indexOf(this.labelLanguage) + 1) % all.length];
    spare.set("argus.labels", this.labelChoice);
    this.cards.clear();
    this.paint();
  }

  /** Say one line below the text; problems stay until something is done. */
  say(words, isProblem = false) { this.note = { words, isProblem }; if (this.el) paintHint(this); }

  /** Look at the selection when the browser has made it: after the mouse's own event, or before the next key,
   * which a busy browser may handle before a timer. */
  afterMouse(act) {
    this.endMouse();
    this.due = act;
    setTimeout(() => this.endMouse());
  }

  endMouse() {
    const { due } = this;
    this.due = null;
    due?.();
  }

  active() { this.lastAct = Date.now(); this.note = null; }

  /** Every second: the clock, the elapsed time of a suggestion, what must be sent again. */
  tick() {
    if (this.sample && document.visibilityState === "visible" && Date.now() - (this.lastAct ?? 0) < IDLE) this.seconds++;
    this.tickElapsed();
    fitHeight(this);
    if (this.sample?.media.length && !this.pane) paintStage(this);
    this.line.tick();
    if (this.sample) this.paintBar();
  }

  tickElapsed() {
    const s = this.suggesting;
    if (!this.el.elapsed || !["queued", "running"].includes(s.state)) return;
    const n = Math.round(s.elapsed + (performance.now() - this.suggestedAt) / 1000);
    this.el.elapsed.textContent = this.w(s.worker ? "suggest.waiting" : "suggest.no_worker", { n });
  }

  paint() {
    if (!this.started && !this.sample) { paintBar(this); return; }
    this.root.classList.toggle("is-done", this.done);
    paintDone(this);
    if (!this.done) {
      paintEvidence(this);
      paintStage(this);
      paintCards(this);
      paintChecks(this);
      paintHint(this);
      paintNotes(this);
    }
    paintOutline(this);
    paintBar(this);
    if (this.hadFocus && document.activeElement === document.body) focusHome(this);
  }

  paintBar() { paintBar(this); }

  /** Time from the key press to the painted frame, for the browser tests. */
  measure(began) {
    if ((this.measured = (this.measured ?? 0) + 1) % 1000 === 0) performance.clearMeasures("argus-key");
    requestAnimationFrame(() => setTimeout(() => performance.measure("argus-key", { start: began, end: performance.now() })));
  }
}

/** Whether the server's draft goes before ours: it is newer, or another window's that ours has not seen. */
const isNewer = (draft, ours) => !!draft && draft.rev > (draft.writer === ours.writer ? ours.rev : ours.after);

/** Whether something kept in the browser is a draft of this sample as it is now. */
function isDraftOf(kept, payload) {
  return !!kept && kept.document?.sample === payload.key && Array.isArray(kept.document.events)
    && Number.isInteger(kept.rev);
}

/** The languages that types and roles have labels in. */
function labelLanguagesOf(schema) {
  const items = schema.flatMap((type) => [type, ...type.roles]);
  return [...new Set(items.flatMap((item) => Object.keys(item.labels ?? {})))].sort();
}
