// The line to the server: one message under way, sent again until it is answered.
//
// Streamlit merges triggers that come faster than it runs, the newer one replacing the older, so a
// message counts as delivered only when the server names its id in `done`. What is not answered lies
// in the browser's storage, so that a reload, a killed browser or a killed server loses nothing.

const KEPT = new Set(["submit", "note"]);  // lie in the browser's storage until they are answered
const AGAIN = [3000, 5000, 8000, 12000];  // how long to wait for an answer before sending again, ms

/** localStorage that may be full or forbidden: the server's draft is the truth, this is the spare. */
const spare = {
  get(key) { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, JSON.stringify(value)); return true; } catch { return false; } },
  keys(start) { try { return Object.keys(localStorage).filter((k) => k.startsWith(start)); } catch { return []; } },
  drop(key) { try { localStorage.removeItem(key); } catch { /* nothing to drop then */ } },
};

class Line {
  /** `send(kind, value)` hands a message to Streamlit; `onChange()` is told when the state changes. */
  constructor(person, send, onChange) {
    this.person = person;
    this.send = send;
    this.onChange = onChange;
    this.tries = 0;
    this.queue = spare.keys(this.outKey("")).map((key) => spare.get(key)).filter((m) => KEPT.has(m?.kind));
    for (const message of this.queue) message.sent = 0;
  }

  outKey(id) { return `argus.out|${this.person}|${id}`; }
  draftKey(stamp) { return `argus.draft|${this.person}|${stamp}`; }

  /** The draft of a sample that the server may not have yet, or null. */
  unsentDraft(stamp) { return spare.get(this.draftKey(stamp)); }

  /** Keep a draft here and send it; one that waits for the same sample is replaced. */
  draft(stamp, value) {
    const isKept = spare.set(this.draftKey(stamp), value);
    this.drop((m) => m.kind === "draft" && m.stamp === stamp && !m.sent);
    this.push({ kind: "draft", stamp, value, isKept });
  }

  /** Send a finished review. Its last draft goes before it: a refused review can then be gone on with. */
  submit(stamp, value) { this.push({ kind: "submit", stamp, value }); }

  /** Anything that may be lost without harm: opening a sample, asking for a suggestion. */
  ask(kind, value) {
    this.drop((m) => m.kind === kind && m.value.act === value.act && !m.sent);
    this.push({ kind, stamp: null, value });
  }

  push(message) {
    const whole = { id: newId(), sent: 0, ...message };
    this.queue.push(whole);
    if (KEPT.has(whole.kind)) whole.isKept = spare.set(this.outKey(whole.id), whole);
    this.pump();
  }

  drop(test) { this.queue = this.queue.filter((m) => !test(m)); }

  /** Send the first message, if none is under way; a submit travels together with the draft before it. */
  pump() {
    const [head, next] = this.queue;
    if (!head || head.sent) return;
    const both = head.kind === "draft" && next?.kind === "submit";
    for (const message of both ? [head, next] : [head]) {
      message.sent = Date.now();
      this.send(message.kind, { id: message.id, ...message.value });
    }
    this.onChange();
  }

  /** Called every second: what has no answer for long is sent again. */
  tick() {
    const head = this.queue[0];
    if (!head || !head.sent || Date.now() - head.sent < AGAIN[Math.min(this.tries, AGAIN.length - 1)]) return;
    this.tries++;
    this.again();
  }

  /** Send once more: nobody will answer what is under way. */
  again() {
    for (const message of this.queue) message.sent = 0;
    this.pump();
  }

  /** The server has dealt with these ids, `refused` ones without success; returns the messages. */
  answered(ids, refused = []) {
    const done = this.queue.filter((m) => ids.includes(m.id));
    if (!done.length) return [];
    this.tries = 0;
    this.queue = this.queue.filter((m) => !ids.includes(m.id));
    for (const { id, kind, stamp } of done) {
      if (KEPT.has(kind)) spare.drop(this.outKey(id));
      if (kind === "submit" && !refused.includes(id)) this.drop((m) => m.kind === "draft" && m.stamp === stamp);
      if (stamp && !refused.includes(id) && !this.waits(stamp)) spare.drop(this.draftKey(stamp));
    }
    this.pump();
    this.onChange();
    return done;
  }

  /** Whether something of a sample is not with the server yet. */
  waits(stamp) { return this.queue.some((m) => m.stamp === stamp); }
  submits(stamp) { return this.queue.some((m) => m.kind === "submit" && m.stamp === stamp); }
  /** Whether all that waits lies in this browser too: what is only asked for need not. */
  isKept() { return this.queue.every((m) => m.isKept !== false); }
  isLate() { return this.tries > 0; }
}
