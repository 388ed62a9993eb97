// Marks in and out, and what points into a clip: ranges are put, moved by the frame and changed.

Object.assign(Player.prototype, {
  setMarks(first, last) { if (this.spoken) this.spoken.pick = null; this.marks = { first, last }; this.B.sel = null; this.paint(); },

  markIn() { this.mark(this.frame, this.marks?.last ?? null); },

  markOut() { this.mark(this.marks?.first ?? null, this.frame); },

  /** A mark that the other one contradicts takes its place alone. */
  mark(first, last) {
    if (first !== null && last !== null && first > last) [first, last] = first === this.frame ? [first, null] : [null, last];
    this.setMarks(first, last);
    this.B.paint();
  },

  /** The range between the marks; with one mark alone, nothing. */
  pickedRange() { return this.marks && this.marks.first !== null && this.marks.last !== null ? this.frames.rangeOf(this.marks.first, this.marks.last) : null; },

  picked() {
    const range = this.pickedRange();
    if (!range) return this.spoken?.picked() ?? null;
    const keyframes = trimKeyframes(this.keys, range[0], this.frames.timeOf(this.marks.last));
    return { media: this.medium.id, page: null, box: null, range, keyframes, start: null, end: null, text: null };
  },

  put() {
    const place = this.picked();
    if (place) this.B.putPlace(place);
    else this.B.say(this.B.w("player.no_marks"), true);
  },

  /** What the next key does here. */
  hint() {
    if (!this.frames) return "";
    if (this.marks) return this.B.w(this.marks.last === null ? "player.hint_out" : "player.hint_in");
    return this.B.w(this.focused()?.range ? (this.isVideo ? "player.hint_range" : "player.hint_sound") : "player.hint");
  },

  drop() {
    const had = !!this.marks || !!this.spoken?.pick;
    if (this.spoken) this.spoken.pick = null;
    Object.assign(this, { marks: null, keys: [] });
    this.paint();
    return had;
  },

  /** What points into this clip: [{…, range}], and mentions in its transcript. */
  bars() {
    if (!this.frames) return [];
    const own = mediaMarksOf(this.B, this.medium.id).filter((m) => m.range || m.box);
    return [...own.map((m) => ({ ...m, range: m.range ?? this.timeline.whole, isWhole: !m.range })), ...textBars(this.B, this.medium)];
  },

  /** The focused mention, where it has a range or a box in this clip. */
  focused() {
    const at = this.B.focus;
    return at?.part ? mediaMarksOf(this.B, this.medium.id).find((m) => m.event === at.event && m.part === at.part && (m.range || m.box)) ?? null : null;
  },

  /** A mention's place, with something in it changed. */
  change(mark, changed) {
    const { page, box, range, keyframes, start, end, text } = { ...mark, ...changed };
    this.B.fill(mark.event, mark.part, { place: { media: this.medium.id, page, box, range, keyframes, start: start ?? null, end: end ?? null, text: text ?? null } });
  },

  changeRange(mark, range) {
    const last = this.frames.timeOf(this.frames.framesOf(...range)[1]);
    this.change(mark, { range, keyframes: trimKeyframes(mark.keyframes ?? [], range[0], last) });
  },

  /** An edge of what is picked, else of the focused range, one frame on. */
  moveEdge(edge, by) {
    const range = this.pickedRange() ?? this.focused()?.range;
    if (!range) return false;
    let [first, last] = this.frames.framesOf(...range);
    if (edge === "from") first = Math.max(0, Math.min(last, first + by));
    else last = Math.max(first, Math.min(this.frames.count - 1, last + by));
    this.pause();
    if (this.pickedRange()) { this.setMarks(first, last); this.B.paint(); }
    else if (String(this.frames.rangeOf(first, last)) !== String(range)) this.changeRange(this.focused(), this.frames.rangeOf(first, last));
    this.seek(edge === "from" ? first : last);
    return true;
  },
});
