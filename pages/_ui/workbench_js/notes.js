// Flags, comments and skipping: what a person leaves on a sample beside the review.

/** The notes above the cards: open ones, what is on its way, and the resolved ones behind a count. */
function paintNotes(B) {
  const host = B.el.notes;
  const stored = B.sample?.notes ?? [];
  const sent = B.sample ? B.line.queue.filter((m) => m.kind === "note" && m.value.sample === B.sample.key).map((m) => m.value) : [];
  const sign = JSON.stringify([B.sample?.key, stored, sent, B.showResolved]);
  if (sign === B.notesSign) return;
  B.notesSign = sign;
  const closing = new Map(sent.filter((m) => m.note).map((m) => [m.note, m.act === "resolve"]));
  const isOpen = (note) => !(closing.get(note.id) ?? note.resolved);
  const fresh = sent.filter((m) => !m.note).map((m) => ({ ...m, kind: m.act, waits: true, words: m.start == null ? null : B.T.slice(m.start, m.end) }));
  const open = [...stored.filter(isOpen), ...fresh], done = stored.filter((n) => !isOpen(n));
  const more = done.length ? plain("tool", B.w("note.resolved", { n: done.length }), () => {
    B.showResolved = !B.showResolved;
    paintNotes(B);
  }, null, { "aria-expanded": String(!!B.showResolved) }) : null;
  host.replaceChildren(...[...open, ...(B.showResolved ? done : [])].map((note) => noteRow(B, note, isOpen(note))), ...(more ? [more] : []));
  host.hidden = !host.childNodes.length;
}

function noteRow(B, note, isOpen) {
  const words = note.words && plain("quote", `“${note.words}”`, () => {
    const [a, b] = [B.T.unit(note.start), B.T.unit(note.end)];
    B.sel = { a, b };
    B.paint();
    revealUnit(B, a);
  });
  const act = note.waits ? h("span", { class: "soft", text: B.w("note.sending") })
    : plain("tool", B.w(isOpen ? "note.resolve" : "note.reopen"), () => B.sendNote({ act: isOpen ? "resolve" : "reopen", note: note.id }));
  return h("div", { class: `note-row ${note.kind}${isOpen ? "" : " gone"}`, "data-note": String(note.id ?? "") },
    h("strong", { text: B.w(`note.${note.kind}`) }), h("span", { class: "soft", text: note.person ?? B.data.person }),
    h("span", { class: "said", dir: "auto", text: note.text }), words,
    isOpen ? null : h("span", { class: "soft", text: B.w("note.gone", { person: note.resolved_by ?? "–" }) }), act);
}

/** Ask for the words of a flag or comment; it mentions what is selected or the focused span. */
function openNote(B, kind) {
  const span = B.sel ? [B.T.point(B.sel.a), B.T.point(B.sel.b)] : null;
  closeWindow(B);
  const field = h("textarea", { class: "field", rows: "2", "aria-label": B.w(`note.${kind}.ask`), placeholder: B.w(`note.${kind}.ask`), maxlength: "4000" });
  const about = span && h("input", { type: "checkbox", checked: true });
  const title = B.w(`note.${kind}`);
  const problem = h("p", { class: "soft", role: "status" });
  const finish = () => {
    const text = field.value.trim();
    if (!text && kind === "comment") { problem.textContent = B.w("note.empty"); field.focus(); return; }
    const [start, end] = about?.checked ? span : [null, null];
    closeWindow(B);
    B.sendNote({ act: kind, text, start, end });
  };
  B.window = {
    onKey: (e) => {
      if (e.key === "Escape") closeWindow(B);
      else if (e.key === "Enter" && !e.shiftKey && e.target === field) finish();
      else return false;
      return true;
    },
  };
  B.el.window.replaceChildren(h("div", { class: "sheet small note-sheet", role: "dialog", "aria-label": title },
    h("div", { class: "title", text: title }), field,
    span ? h("label", { class: "check" }, about, h("span", { text: B.w("note.about", { words: B.T.slice(...span) }) })) : null, problem,
    h("div", { class: "help-end" }, plain("plain", B.w("act.back"), () => closeWindow(B)), plain("plain strong", B.w("note.send"), finish, "Enter"))));
  B.el.window.hidden = false;
  placeWindow(B);
  field.focus();
}

Object.assign(Bench.prototype, {
  flag() { if (this.sample) openNote(this, "flag"); },
  comment() { if (this.sample) openNote(this, "comment"); },

  sendNote(value) {
    const whole = { text: "", start: null, end: null, note: null, ...value, sample: this.sample.key };
    this.line.push({ kind: "note", stamp: null, value: whole });
    paintNotes(this);
  },

  /** Put the sample at the end of this person's queue and show the next one. */
  skip() {
    if (this.done) return;
    const near = this.data.open?.key === this.sample.key;
    const following = near ? this.data.next : null;
    if (near && !following) { this.say(this.w("sample.last")); return; }
    this.line.push({ kind: "skip", stamp: null, value: { at: following?.key ?? null, from: this.sample.key } });
    if (following) { this.open(this.cache.get(following.key) ?? following); this.say(this.w("skip.done")); }
  },
});
