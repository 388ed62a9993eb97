// The timeline of a clip: pictures and sound drawn on a canvas, and above it what can be taken hold of.

const RULER = 18, FILM = 44, LANE = 19;  // heights, px
const NEAREST = 12;  // a frame is drawn at most so wide, px
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600];

class Timeline {
  constructor(P) {
    this.P = P;
    this.view = null;
    this.drag = null;
    const { B } = P;
    this.canvas = h("canvas", { class: "drawing", "aria-hidden": "true" });
    this.lanes = h("div", { class: "lanes" });
    this.lit = h("div", { class: "lit", hidden: true });
    this.pick = h("div", { class: "pick", hidden: true }, h("i", { class: "edge from" }), h("i", { class: "edge to" }));
    this.head = h("div", { class: "head", role: "slider", tabindex: "0", "aria-label": B.w("player.head") });
    this.thumb = h("i");
    this.map = h("div", { class: "map", hidden: true, "aria-hidden": "true" }, this.thumb);
    this.node = h("div", { class: "timeline" }, this.canvas, this.lit, this.lanes, this.pick, this.head, this.map);
    this.node.onpointerdown = (e) => this.begin(e);
    this.node.onpointermove = (e) => this.follow(e);
    this.node.onpointerup = (e) => this.end(e);
    this.node.onpointercancel = () => { this.drag = null; P.paint(); };
    this.node.onwheel = (e) => this.wheel(e);
  }

  get width() { return this.node.clientWidth || 1; }
  get height() { return RULER + (this.P.isVideo ? FILM : 0) + this.waveHeight; }
  get waveHeight() { return !this.P.medium.sounds ? 0 : this.P.isVideo ? 28 : 84; }
  get whole() { const { frames } = this.P; return [frames.timeOf(0), frames.last]; }
  x(time) { return ((time - this.view[0]) / (this.view[1] - this.view[0])) * this.width; }
  time(x) { return this.view[0] + (x / this.width) * (this.view[1] - this.view[0]); }

  // ------------------------------------------------------------ what is in view

  /** Show from one time to another, within the clip and never closer than its frames can be told apart. */
  show(from, to) {
    const [first, last] = this.whole, { frames } = this.P;
    const least = Math.min(last - first, (this.width / NEAREST) * ((last - first) / frames.count));
    const length = Math.max(least, Math.min(last - first, to - from));
    const begin = Math.max(first, Math.min(last - length, (from + to - length) / 2));
    this.view = [begin, begin + length];
    this.draw();
    this.paint();
  }

  /** Closer (more than 1) or farther, about a time. */
  zoom(by, about = this.P.time) {
    const share = (about - this.view[0]) / (this.view[1] - this.view[0]);
    const length = (this.view[1] - this.view[0]) / by, at = share >= 0 && share <= 1 ? share : 0.5;
    this.show(about - length * at, about + length * (1 - at));
  }

  fit() { this.show(...this.whole); }

  /** Bring a range into view, if it is out of it. */
  reveal(from, to) {
    const length = this.view[1] - this.view[0];
    if (from >= this.view[0] && to <= this.view[1]) return;
    if (to - from > length) this.show(from - (to - from) * 0.1, to + (to - from) * 0.1);
    else this.show((from + to - length) / 2, (from + to + length) / 2);
  }

  wheel(e) {
    if (!this.view) return;
    const across = Math.abs(e.deltaX) > Math.abs(e.deltaY) ? e.deltaX : e.shiftKey ? e.deltaY : 0;
    if (!e.ctrlKey && !across) return;
    e.preventDefault();
    if (e.ctrlKey) { this.zoom(Math.exp(-e.deltaY / 300), this.time(this.at(e))); return; }
    const by = (across / this.width) * (this.view[1] - this.view[0]);
    this.show(this.view[0] + by, this.view[1] + by);
  }

  // ------------------------------------------------------------ drawing

  draw() {
    if (!this.view) return;
    const { canvas, width, height } = this, scale = window.devicePixelRatio || 1;
    canvas.width = width * scale;
    canvas.height = height * scale;
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    const pen = canvas.getContext("2d"), style = getComputedStyle(this.node);
    const ink = style.color;
    pen.scale(scale, scale);
    this.drawRuler(pen, ink);
    if (this.P.isVideo) this.drawFilm(pen);
    if (this.waveHeight) this.drawWave(pen, ink, this.height - this.waveHeight);
    this.drawScenes(pen, ink);
  }

  drawRuler(pen, ink) {
    const length = this.view[1] - this.view[0];
    const step = TICKS.find((t) => (t / length) * this.width >= 64) ?? 7200;
    pen.font = `11px ${getComputedStyle(this.node).fontFamily}`;
    pen.fillStyle = ink;
    for (let n = Math.ceil(this.view[0] / step); n * step <= this.view[1]; n++) {
      const x = Math.round(this.x(n * step));
      pen.globalAlpha = 0.35;
      pen.fillRect(x, RULER - 5, 1, 5);
      pen.globalAlpha = 0.8;
      if (x + 40 < this.width) pen.fillText(clipTime(n * step, step < 1 ? 1 : 0), x + 3, RULER - 6);
    }
    pen.globalAlpha = 1;
  }

  drawFilm(pen) {
    const { film } = this.P;
    if (!film) return;
    const [w, tall] = film.tile, wide = (w / tall) * FILM, begin = this.x(this.whole[0]);
    const end = Math.min(this.width, this.x(this.whole[1]));
    for (let x = begin + Math.max(0, Math.floor(-begin / wide)) * wide; x < end; x += wide) {
      const part = Math.min(1, (end - x) / wide);
      pen.drawImage(film.image, nearestOf(film.times, this.time(x + wide / 2)) * w, 0, w * part, tall, x, RULER, wide * part, FILM);
    }
  }

  drawWave(pen, ink, top) {
    const { wave } = this.P;
    if (!wave) return;
    const tall = this.waveHeight, middle = top + tall / 2;
    const index = (x) => Math.floor((this.time(x) - wave.start) * wave.per_second);
    const most = Math.max(16, wave.most);
    pen.fillStyle = ink;
    pen.globalAlpha = 0.55;
    for (let x = 0; x < this.width; x++) {
      let low = 0, high = 0;
      for (let i = Math.max(0, index(x)), to = Math.min(wave.low.length, Math.max(i + 1, index(x + 1))); i < to; i++) {
        low = Math.min(low, wave.low[i]);
        high = Math.max(high, wave.high[i]);
      }
      const up = (high / most) * (tall / 2 - 1), down = (-low / most) * (tall / 2 - 1);
      pen.fillRect(x, middle - up, 1, Math.max(1, up + down));
    }
    pen.globalAlpha = 1;
  }

  drawScenes(pen, ink) {
    pen.fillStyle = ink;
    for (const time of this.P.scenes ?? []) {
      const x = Math.round(this.x(time));
      if (x < 0 || x > this.width) continue;
      pen.beginPath();
      pen.moveTo(x - 4, RULER - 1);
      pen.lineTo(x + 4, RULER - 1);
      pen.lineTo(x, RULER + 5);
      pen.fill();
      pen.globalAlpha = 0.4;
      pen.fillRect(x, RULER, 1, this.height - RULER);
      pen.globalAlpha = 1;
    }
  }

  // ------------------------------------------------------------ what can be taken hold of

  /** The ranges of mentions as bars in lanes, what is picked, and the playhead. */
  paint() {
    if (!this.view) return;
    const held = (bar) => this.drag?.bar?.event === bar.event && this.drag.bar.part === bar.part && this.drag.range;
    const bars = layBars(this.P.bars().map((bar) => (held(bar) ? { ...bar, range: this.drag.range } : bar)));
    const sign = JSON.stringify([bars, this.view, this.width, bars.map((bar) => heat(this.P.B, bar))]);
    if (sign !== this.sign) {
      this.sign = sign;
      this.lanes.replaceChildren(...bars.map((bar) => this.makeBar(bar)).filter(Boolean));
      const lanes = Math.max(0, ...bars.map((bar) => bar.lane + 1));
      this.lanes.style.top = `${this.height}px`;
      this.lanes.style.height = `${lanes * LANE}px`;
      this.node.style.height = `${this.height + lanes * LANE + (this.isNear ? 10 : 0)}px`;
    }
    this.place(this.pick, this.P.pickedRange());
    this.place(this.lit, saidSelection(this.P));
    this.map.hidden = !this.isNear;
    const [first, last] = this.whole, share = 100 / (last - first);
    this.thumb.style.cssText = `left:${(this.view[0] - first) * share}%;width:${(this.view[1] - this.view[0]) * share}%`;
    this.paintHead();
  }

  get isNear() { const [first, last] = this.whole; return this.view[1] - this.view[0] < (last - first) * 0.999; }

  place(node, range) {
    node.hidden = !range;
    if (range) node.style.cssText = `left:${this.x(range[0])}px;width:${Math.max(2, this.x(range[1]) - this.x(range[0]))}px;top:${RULER}px;height:${this.height - RULER}px`;
  }

  paintHead() {
    const { P } = this, { frames, frame } = P, x = this.x(P.time);
    this.head.style.transform = `translateX(${x}px)`;
    this.head.style.visibility = x < -1 || x > this.width + 1 ? "hidden" : "";
    for (const [name, value] of [["valuemin", 0], ["valuemax", frames.count - 1], ["valuenow", frame], ["valuetext", clipTime(P.time, 2)]]) {
      this.head.setAttribute(`aria-${name}`, String(value));
    }
  }

  /** While the clip plays the view goes along, a page at a time. */
  followHead() {
    const length = this.view[1] - this.view[0], { time } = this.P;
    if (this.drag || (time >= this.view[0] && time <= this.view[1])) return;
    this.show(time - length * 0.05, time + length * 0.95);
  }

  makeBar(bar) {
    const [from, to] = bar.range, { B } = this.P;
    if (to < this.view[0] || from > this.view[1]) return null;
    const left = Math.max(-4, this.x(from)), width = Math.max(16, Math.min(this.width + 4, this.x(to)) - left);
    const hot = heat(B, bar);
    const name = B.w("player.bar", { n: bar.number, role: bar.label, range: clipRange(bar.range, 2), decision: B.w(`decision.${bar.decision}`) });
    const node = h("div", {
      class: `bar ${bar.kind} ${bar.decision}${bar.isText ? " said" : ""}${hot ? ` hot${hot}` : ""}`, title: name, role: "button", tabindex: "-1", "aria-label": name,
      "data-event": bar.event, "data-part": bar.part,
      style: `left:${left}px;width:${width}px;top:${bar.lane * LANE}px;--c:var(--e${colourOf(bar.number)})`,
    }, h("b", { text: String(bar.number) }), h("span", { text: bar.label }));
    if (!bar.isText) node.append(h("i", { class: "edge from" }), h("i", { class: "edge to" }));
    for (const key of bar.keyframes) node.append(h("u", { style: `left:${this.x(key[0]) - left}px` }));
    node.bar = bar;
    return node;
  }

  // ------------------------------------------------------------ the mouse

  at(e) { return e.clientX - this.node.getBoundingClientRect().left; }

  begin(e) {
    if (e.button || !this.view) return;
    const { P } = this, x = this.at(e), y = e.clientY - this.node.getBoundingClientRect().top;
    const bar = e.target.closest(".bar")?.bar ?? null, edge = e.target.closest(".edge");
    this.node.setPointerCapture(e.pointerId);
    if (e.target.closest(".map")) this.drag = { what: "map" };
    else if (edge) this.drag = { what: "edge", bar, isFrom: edge.classList.contains("from"), range: bar ? [...bar.range] : P.pickedRange() };
    else if (bar) this.drag = { what: "bar", bar };
    else if (y < RULER || e.target.closest(".head")) this.drag = { what: "head" };
    else this.drag = { what: "range", x, first: P.frames.frameAt(this.time(x)) };
    if (["head", "range"].includes(this.drag.what)) P.pause();
    this.follow(e);
  }

  follow(e) {
    const { drag, P } = this;
    if (!drag) return;
    const x = this.at(e), { frames } = P, time = this.time(Math.max(0, Math.min(this.width, x)));
    if (drag.what === "head") P.seek(frames.frameAt(time));
    else if (drag.what === "map") {
      const [first, last] = this.whole, middle = first + (x / this.width) * (last - first), half = (this.view[1] - this.view[0]) / 2;
      this.show(middle - half, middle + half);
    } else if (drag.what === "range" && (drag.moved ||= Math.abs(x - drag.x) > 3)) {
      const now = frames.frameAt(time);
      P.setMarks(Math.min(drag.first, now), Math.max(drag.first, now));
      P.seek(now);
    } else if (drag.what === "edge") {
      drag.moved = true;
      this.moveEdge(drag, time);
    }
  }

  /** An edge lies between frames: the border nearest to the pointer. */
  moveEdge(drag, time) {
    const { P } = this, { frames } = P, seen = frames.frameAt(time);
    const border = time - frames.timeOf(seen) <= frames.endOf(seen) - time ? seen : seen + 1;
    const [first, last] = frames.framesOf(...drag.range);
    const [a, b] = drag.isFrom ? [Math.min(border, last), last] : [first, Math.max(border - 1, first)];
    drag.range = frames.rangeOf(a, b);
    if (!drag.bar) P.setMarks(a, b);
    P.seek(drag.isFrom ? a : b);
    this.paint();
  }

  end() {
    const { drag, P } = this;
    this.drag = null;
    if (!drag) return;
    if (drag.what === "bar") P.B.setFocus(drag.bar.event, drag.bar.part);
    else if (drag.what === "range" && !drag.moved) { P.seek(drag.first); P.paint(); }
    else if (drag.what === "range") P.B.pickPlace(P.picked());
    else if (drag.what === "edge" && drag.bar && String(drag.range) !== String(drag.bar.range)) P.changeRange(drag.bar, drag.range);
    P.paint();
  }
}

/** The number in a sorted list that is nearest to a value. */
function nearestOf(numbers, value) {
  let best = 0;
  numbers.forEach((n, i) => { if (Math.abs(n - value) < Math.abs(numbers[best] - value)) best = i; });
  return best;
}

/** Give each bar a lane, so that bars that overlap lie below each other. */
function layBars(bars) {
  const ends = [];
  for (const bar of [...bars].sort((a, b) => a.range[0] - b.range[0] || b.range[1] - a.range[1])) {
    let lane = ends.findIndex((end) => end <= bar.range[0] + 1e-9);
    if (lane < 0) lane = ends.length;
    ends[lane] = bar.range[1];
    bar.lane = lane;
  }
  return bars;
}
