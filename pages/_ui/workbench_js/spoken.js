// What a model wrote down of a clip, as running text below its player: a word is also a time.

class Spoken {
  constructor(P, cues) {
    this.P = P;
    this.media = P.medium.id;
    this.pick = null;  // {anchor, head}: numbers of words
    const { B } = P, points = (text) => [...text].length;
    this.T = makeText(cues.map((cue) => cue.text).join("\n"), B.sample.language);
    this.words = [];
    let length = 0;
    this.lines = cues.map((cue) => {
      const timed = cue.words.length ? cue.words.map(([from, to, a, b]) => [a, b, from, to]) : cue.text ? [[0, points(cue.text), cue.start, cue.end]] : [];
      const line = h("div", { class: "line" });
      let at = this.T.unit(length);
      for (const [start, end, from, to] of timed) {
        const [a, b] = [this.T.unit(length + start), this.T.unit(length + end)];
        const node = h("span", { "data-i": String(this.words.length), text: this.T.text.slice(a, b) });
        if (a > at) line.append(this.T.text.slice(at, a));
        line.append(node);
        this.words.push({ a, b, from, to, start: length + start, end: length + end, node });
        at = b;
      }
      length += points(cue.text) + 1;
      return line;
    });
    this.node = h("div", {
      class: "spoken", tabindex: "0", role: "textbox", "aria-readonly": "true", "aria-multiline": "true", "aria-label": B.w("player.spoken"),
      lang: B.sample.language, dir: B.sample.direction, translate: "no", onmouseup: () => B.afterMouse(() => this.take()),
    }, ...this.lines);
  }

  /** What is selected by the mouse, as whole words; a click goes to when the word is said. */
  take() {
    const native = document.getSelection();
    if (this.P.isStopped || !native?.rangeCount) return;
    const range = native.getRangeAt(0);
    if (!this.node.contains(range.commonAncestorContainer)) return;
    const [anchor, head] = [numberOf(range.startContainer, "nextElementSibling"), numberOf(range.endContainer, "previousElementSibling")];
    if (range.collapsed) {
      this.pick = null;
      if (anchor !== null) { this.cursor = anchor; this.P.pause(); this.P.seek(this.P.frames.frameAt(this.words[anchor].from)); }
      this.P.B.paint();
      return;
    }
    native.removeAllRanges();
    if (anchor === null || head === null || head < anchor) return;
    this.select(anchor, head);
    this.P.B.pickPlace(this.picked());
  }

  select(anchor, head) {
    this.P.drop();
    this.pick = { anchor, head };
    this.cursor = head;
  }

  get span() { return this.pick && [Math.min(this.pick.anchor, this.pick.head), Math.max(this.pick.anchor, this.pick.head)]; }

  range() {
    if (!this.pick) return null;
    const hit = this.words.slice(this.span[0], this.span[1] + 1);
    return [Math.min(...hit.map((w) => w.from)), Math.max(...hit.map((w) => w.to))];
  }

  picked() {
    if (!this.pick) return null;
    const [first, last] = this.span.map((i) => this.words[i]);
    return { media: this.media, page: null, box: null, keyframes: [], range: this.range(), start: first.start, end: last.end, text: this.T.text.slice(first.a, last.b) };
  }

  /** Arrow keys move by word, with Shift they select more. */
  key(chord, e) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[chord.replace("Shift+", "")];
    if (e.target !== this.node || !by || !this.words.length) return false;
    const head = Math.max(0, Math.min(this.words.length - 1, this.cursor === undefined ? 0 : this.cursor + by));
    this.select(chord.startsWith("Shift+") && this.pick ? this.pick.anchor : head, head);
    this.P.B.sel = null;
    this.words[head].node.scrollIntoView({ block: "nearest" });
    this.P.pause();
    this.P.seek(this.P.frames.frameAt(this.words[head].from));
    this.P.B.paint();
    return true;
  }

  /** Mentions and what is picked, on their words. */
  paint() {
    const marks = mediaMarksOf(this.P.B, this.media).filter((m) => m.start !== null && m.start !== undefined);
    const sign = JSON.stringify([marks, marks.map((m) => heat(this.P.B, m)), this.pick]);
    if (sign === this.sign) return;
    this.sign = sign;
    for (const node of this.dressed ?? []) { node.className = ""; node.removeAttribute("style"); }
    this.dressed = [];
    const dress = (word, name, colour) => {
      word.node.classList.add(...name.split(" "));
      if (colour) word.node.style.setProperty("--c", colour);
      this.dressed.push(word.node);
    };
    for (const mark of marks) {
      const hot = heat(this.P.B, mark);
      for (const word of this.words) if (word.start < mark.end && mark.start < word.end) dress(word, `said ${mark.decision}${hot ? ` hot${hot}` : ""}`, `var(--e${colourOf(mark.number)})`);
    }
    if (this.pick) for (const word of this.words.slice(this.span[0], this.span[1] + 1)) dress(word, "in");
  }

  /** Light the words that are said now. */
  light(time) {
    const now = this.words.filter((w) => w.from <= time && time < w.to);
    if (now[0] === this.now?.[0] && now.length === this.now?.length) return;
    for (const word of this.now ?? []) word.node.removeAttribute("data-now");
    for (const word of now) word.node.setAttribute("data-now", "");
    if (this.P.isPlaying && now[0]) now[0].node.scrollIntoView({ block: "nearest" });
    this.now = now;
  }
}

/** The number of the word at a place in the page, else of the one beside it. */
function numberOf(place, beside) {
  const node = place.nodeType === Node.TEXT_NODE ? place.parentElement : place;
  const word = node.closest("[data-i]") ?? place[beside]?.closest?.("[data-i]") ?? node.querySelector?.("[data-i]");
  return word ? Number(word.dataset.i) : null;
}
