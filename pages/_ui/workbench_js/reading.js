// The words in a picture: outlines to click on, and the same words as text, for the keyboard.

class WordsIn {
  constructor(picture) {
    this.P = picture;
    this.summary = h("summary", {});
    this.body = h("div", { class: "read", tabindex: "0", role: "textbox", "aria-readonly": "true", "aria-multiline": "true", "aria-label": picture.B.w("picture.text_name") });
    this.list = h("details", { class: "reading" }, this.summary, this.body);
    this.body.onpointerdown = (e) => this.pressed(e);
    this.turned();
  }

  turned() { Object.assign(this, { data: null, words: [], picked: null, last: null, sign: null }); this.P.wordLayer.replaceChildren(); }

  /** Take what the server says of the page's words, once it does. */
  fetch() {
    if (this.data || !this.P.img.complete || !this.P.link) return;
    const data = keptOf(this.P.B, "words", { media: this.P.id, page: this.P.page });
    if (!data) return;
    this.data = data;
    this.T = makeText(data.text, this.P.B.sample.language);
    this.words = data.words.map(([start, end, ...box], i) => ({ i, start, end, box }));
    this.P.wordLayer.replaceChildren(...this.words.map(() => h("i", {})));
    this.buildList();
  }

  buildList() {
    const { B } = this.P, { T, data } = this;
    const lines = [];
    let at = 0;
    this.spans = this.words.map((word) => {
      const a = T.unit(word.start - data.from), b = T.unit(word.end - data.from);
      if (a > at) lines.push(T.text.slice(at, a));
      at = b;
      const span = h("span", { "data-word": String(word.i), text: T.text.slice(a, b) });
      lines.push(span);
      return span;
    });
    this.body.lang = B.sample.language;
    this.body.replaceChildren(...lines);
    this.list.classList.toggle("empty", !this.words.length);
    this.summary.replaceChildren(B.w("picture.text"), h("span", { class: "soft", text: this.words.length ? data.text.replace(/\s+/g, " ").slice(0, 90) : data.note || B.w("picture.text_none") }));
  }

  paint() {
    this.fetch();
    if (!this.data) { setText(this.summary, this.P.B.w("picture.text_waits")); return; }
    const { P } = this, held = P.held;
    const range = held?.start != null ? [held.start, held.end] : this.picked && [this.words[this.picked[0]].start, this.words[this.picked[1]].end];
    const sign = JSON.stringify([P.x, P.y, P.zoom, range]);
    if (sign === this.sign) return;
    this.sign = sign;
    this.words.forEach((word, i) => {
      const [l, t, r, b] = edgesOf(word.box, P.across, P.down);
      const node = P.wordLayer.childNodes[i];
      node.style.cssText = `left:${l + P.x}px;top:${t + P.y}px;width:${r - l}px;height:${b - t}px`;
      const isIn = !!range && word.start >= range[0] && word.end <= range[1];
      node.classList.toggle("in", isIn);
      this.spans[i].classList.toggle("in", isIn);
    });
  }

  /** The word at a point of the picture. */
  at(x, y) { return this.words.find((w) => boxHolds(w.box, x, y)) ?? null; }

  nearest(x, y) {
    const { size } = this.P;
    const away = ({ box: [bx, by, bw, bh] }) => Math.hypot(Math.max(bx - x, 0, x - bx - bw) * size.width, 3 * Math.max(by - y, 0, y - by - bh) * size.height);
    return this.words.reduce((best, w) => (!best || away(w) < away(best) ? w : best), null);
  }

  select(one, other) {
    this.picked = [Math.min(one.i, other.i), Math.max(one.i, other.i)];
    this.last = one;
    this.P.paint();
  }

  finish() { if (this.picked) this.take(this.words[this.picked[0]], this.words[this.picked[1]]); }

  /** The words from one to another as a place: span, text and the box around them. */
  take(one, other) {
    const [a, b] = [Math.min(one.i, other.i), Math.max(one.i, other.i)];
    const { start } = this.words[a], { end } = this.words[b], { from } = this.data;
    this.picked = null;
    this.last = one;
    const box = aroundBoxes(this.words.slice(a, b + 1).map((w) => w.box));
    const text = this.T.slice(start - from, end - from).replace(/\s*\n\s*/g, " ");
    this.P.take({ ...this.P.placeFor(box), start, end, text });
  }

  drop() { this.picked = null; }

  /** Whether a box still touches the words that a slot was made of; unknown words count as touched. */
  touch({ start, end }, box) {
    const mine = this.words.filter((w) => w.start < end && w.end > start);
    return !mine.length || boxesMeet(aroundBoxes(mine.map((w) => w.box)), box);
  }

  // ------------------------------------------------------------ in the list

  /** The arrows walk from word to word and select; Enter puts them, as from the text. */
  key(chord) {
    const arrow = /^(Shift\+)?Arrow(Left|Right)$/.exec(chord);
    if (!arrow || !this.words.length) return false;
    const by = arrow[2] === "Right" ? 1 : -1;
    const now = this.walk && this.P.held?.start != null ? this.walk : null;
    const head = now ? Math.max(0, Math.min(this.words.length - 1, now.head + by)) : 0;
    this.walk = { head, anchor: arrow[1] && now ? now.anchor : head };
    const { B } = this.P, armed = B.armed;
    B.armed = null;  // walking over words fills nothing: Enter does
    this.take(this.words[this.walk.anchor], this.words[head]);
    B.armed = armed;
    this.spans[head].scrollIntoView({ block: "nearest" });
    B.paint();
    return true;
  }

  pressed(e) {
    const first = this.wordOf(e.target);
    if (!first) return;
    const up = (end) => {
      window.removeEventListener("pointerup", up);
      const last = this.wordOf(document.elementFromPoint(end.clientX, end.clientY)) ?? first;
      document.getSelection()?.removeAllRanges();
      this.take(first, last);
    };
    window.addEventListener("pointerup", up);
  }

  wordOf(node) { return this.words[Number(node?.closest?.("[data-word]")?.dataset.word ?? -1)] ?? null; }
}
