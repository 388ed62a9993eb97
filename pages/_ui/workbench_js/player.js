// The player of clips and sounds: streamed from the server, stepped by the frame, marked by keys and mouse.

const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3];
const PART_WAITS = [500, 1000, 2000, 4000, 8000, 8000, 8000];  // how long to wait for a part that is not there yet, ms
const PLAYER_KEYS = {
  " ": (P) => P.toggle(), i: (P) => P.markIn(), o: (P) => P.markOut(), l: (P) => P.toggleLoop(), b: (P) => P.isVideo && P.track.add(),
  ArrowLeft: (P) => P.step(-1), ArrowRight: (P) => P.step(1), "Shift+ArrowLeft": (P) => P.jump(-1), "Shift+ArrowRight": (P) => P.jump(1),
  Home: (P) => P.seek(0), End: (P) => P.seek(P.frames.count - 1), "[": (P) => P.faster(-1), "]": (P) => P.faster(1),
  "+": (P) => P.timeline.zoom(2), "=": (P) => P.timeline.zoom(2), "-": (P) => P.timeline.zoom(0.5), 0: (P) => P.timeline.fit(),
};
const EDGES = { start_left: ["from", -1], start_right: ["from", 1], end_left: ["to", -1], end_right: ["to", 1] };

class Player {
  constructor(B, medium, host) {
    Object.assign(this, { B, medium, host, frames: null, frame: 0, marks: null, keys: [], loop: false, span: null, isStopped: false, isOn: false });
    this.isVideo = medium.kind === "video";
    this.build();
    this.load().catch((problem) => this.say(problem.message));
  }

  get start() { return this.medium.start ?? 0; }
  get time() { return this.frames ? this.frames.timeOf(this.frame) : this.start; }
  get isPlaying() { return this.isOn; }

  // ------------------------------------------------------------ building

  build() {
    const { B, medium } = this;
    this.video = h(this.isVideo ? "video" : "audio", { src: medium.proxy ?? medium.sound, preload: "auto", playsinline: true, disablepictureinpicture: true, "aria-hidden": "true", tabindex: "-1" });
    this.video.onerror = () => this.say(B.w("player.unplayable", { name: medium.name }));
    this.video.onended = () => this.ended();
    this.track = new Track(this);
    this.timeline = new Timeline(this);
    this.notice = h("p", { class: "notice", role: "status", text: B.w("player.loading", { name: medium.name }) });
    this.readout = h("output", { class: "readout", "aria-label": B.w("player.time") });
    this.controls = this.makeControls();
    this.node = h("div", { class: `player ${medium.kind}`, tabindex: "0", "data-home": true, role: "group", "aria-label": B.w("player.name", { name: medium.name }) },
      this.isVideo ? h("div", { class: "screen" }, this.video, this.track.node) : this.video, this.notice, this.timeline.node, this.controls);
    for (const { node } of [this.track, this.timeline]) {  // the keyboard stays with the player, whatever the mouse takes hold of
      node.onmousedown = (e) => { e.preventDefault(); this.node.focus({ preventScroll: true }); };
    }
    this.host.replaceChildren(this.node);
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(this.node);
    if (this.isVideo) this.sizes.observe(this.track.node.parentElement);
    this.video.onloadedmetadata = () => this.fit();
  }

  makeControls() {
    const { B } = this;
    const act = (name, key, run) => plain("tool", B.w(`player.${name}`), () => { B.active(); run(); this.node.focus({ preventScroll: true }); }, key, { "data-act": name });
    this.buttons = {
      play: act("play", B.w("player.space"), () => this.toggle()), back: act("back", "←", () => this.step(-1)), on: act("forward", "→", () => this.step(1)),
      in: act("in", "I", () => this.markIn()), out: act("out", "O", () => this.markOut()), loop: act("loop", "L", () => this.toggleLoop()),
      slower: act("slower", "[", () => this.faster(-1)), faster: act("faster", "]", () => this.faster(1)),
      box: this.isVideo ? act("add_box", "B", () => this.track.add()) : null, unbox: this.isVideo ? act("remove_box", B.w("player.delete"), () => this.track.remove()) : null,
      closer: act("closer", "+", () => this.timeline.zoom(2)), farther: act("farther", "-", () => this.timeline.zoom(0.5)),
      put: act("put", B.keyName("put"), () => this.put()), drop: act("drop", "Esc", () => { this.drop(); B.paint(); }),
    };
    this.speed = h("span", { class: "speed", text: "1×" });
    const { play, back, on, in: first, out, loop, slower, faster, box, unbox, closer, farther, put, drop } = this.buttons;
    const all = [play, back, on, this.readout, first, out, put, drop, loop, slower, this.speed, faster, box, unbox, farther, closer];
    return h("div", { class: "controls", role: "toolbar", "aria-label": B.w("player.controls") }, ...all.filter(Boolean));
  }

  /** Fetch what the player cannot do without, then what is nice to have. */
  async load() {
    const { medium } = this;
    this.frames = this.isVideo ? readFrames(await this.part("frames", "arrayBuffer")) : soundSteps(this.start, medium.duration);
    if (this.isStopped) return;
    this.notice.hidden = true;
    this.watch();
    this.fit();
    const first = this.waiting ?? [0, false];
    this.seek(first[0] ? this.frames.frameAt(first[0][0]) : 0);
    if (first[1]) this.playRange(first[0]);
    this.paint();
    const nice = [
      medium.waveform && this.part("waveform", "json").then((wave) => { this.wave = { ...wave, most: wave.high.reduce((a, b) => Math.max(a, b), 0) }; }),
      medium.filmstrip && loadFilm(medium).then((film) => { this.film = film; }),
      medium.transcript && this.part("transcript", "json").then(({ cues }) => { this.hear(cues); }),
      medium.scenes && this.part("scenes", "json").then((scenes) => { this.scenes = scenes; }),
    ].filter(Boolean);
    for (const one of nice) one.then(() => { if (!this.isStopped) this.timeline.draw(); }, () => {});
  }

  /** Show what a model wrote down of the clip. */
  hear(cues) {
    if (this.isStopped || !cues.length) return;
    this.spoken = new Spoken(this, cues);
    this.node.append(this.spoken.node);
    this.paint();
  }

  async part(name, form) {
    for (const wait of [...PART_WAITS, 0]) {
      const answer = await fetch(this.medium[name]);
      if (answer.ok) return answer[form]();
      const why = await answer.text();
      if (this.isStopped || !wait || ![404, 503].includes(answer.status)) throw new Error(this.B.w("player.part_missing", { name: this.medium.name, why }));
      this.notice.textContent = this.B.w("player.waiting", { name: this.medium.name, why });
      await new Promise((go) => setTimeout(go, wait));
    }
    return null;
  }

  say(words) { this.notice.hidden = false; this.notice.classList.add("problem"); this.notice.textContent = words; }

  fit() {
    if (this.isStopped) return;
    if (this.isVideo) this.track.fit();
    if (!this.frames || !this.timeline.width) return;
    const { view } = this.timeline;
    if (view) this.timeline.show(...view);
    else this.timeline.fit();
  }

  // ------------------------------------------------------------ time

  /** See each frame as it is shown: pictures tell it exactly, a sound is asked at each repaint. */
  watch() {
    const { video } = this;
    if (this.isVideo && video.requestVideoFrameCallback) {
      const shown = (_, { mediaTime }) => {
        if (this.isStopped) return;
        this.node.dataset.shown = String(this.frames.frameAt(mediaTime + this.start));
        if (this.isOn) this.see(Number(this.node.dataset.shown));
        video.requestVideoFrameCallback(shown);
      };
      video.requestVideoFrameCallback(shown);
      return;
    }
    const look = () => {
      if (this.isStopped) return;
      if (this.isOn) this.see(this.frames.frameAt(video.currentTime + this.start));
      this.looking = requestAnimationFrame(look);
    };
    look();
  }

  /** The clip plays and has come to a frame. */
  see(frame) {
    const [first, last] = this.span ?? (this.loop ? this.loopFrames() : [0, this.frames.count - 1]);
    if ((this.span || this.loop) && frame > last) {
      if (this.loop && !this.span) { this.video.currentTime = this.frames.timeOf(first) - this.start + 1e-4; return; }
      this.pause();
      this.seek(last);
      return;
    }
    this.frame = frame;
    this.timeline.followHead();
    this.timeline.paintHead();
    this.track.paint();
    this.paintReadout();
    this.light();
  }

  light() {
    const time = this.frames.middle(this.frame);
    lightSaid(this, time);
    this.spoken?.light(time);
  }

  ended() {
    if (!this.isOn) return;
    if (this.loop && !this.span) { this.seek(this.loopFrames()[0]); this.video.play(); return; }
    this.pause();
    this.seek(this.frames.count - 1);
  }

  /** Show a frame: the middle of its time is asked for, so that no rounding shows another. */
  seek(frame) {
    if (!this.frames) return;
    this.frame = this.frames.clamp(frame);
    this.node.dataset.frame = String(this.frame);
    this.video.currentTime = Math.max(0, (this.isVideo ? this.frames.middle(this.frame) : this.time) - this.start);
    this.timeline.reveal(this.time, this.time);
    this.timeline.paintHead();
    this.track.paint();
    this.paintReadout();
    this.light();
  }

  step(by) { this.pause(); this.seek(this.frame + by); }

  jump(seconds) { this.pause(); this.seek(this.frames.frameAt(this.time + seconds)); }

  toggle() { if (this.isOn) this.pause(); else this.play(); }

  play() {
    if (!this.frames) return;
    const [first, last] = this.loop ? this.loopFrames() : [0, this.frames.count - 1];
    if (this.frame >= last || (this.loop && this.frame < first)) this.seek(first);
    this.span = null;
    this.begin();
  }

  begin() {
    this.isOn = true;
    const going = this.video.play();
    going?.catch((problem) => { if (problem.name !== "AbortError" && !this.isStopped) { this.pause(); this.say(this.B.w("player.unplayable", { name: this.medium.name })); } });
    this.paint();
  }

  pause() {
    if (!this.isOn) return;
    this.isOn = false;
    this.span = null;
    this.video.pause();
    if (!this.isVideo) this.frame = this.frames.frameAt(this.video.currentTime + this.start);
    this.seek(this.frame);
    this.paint();
  }

  /** Play a range once. */
  playRange(range) {
    this.pause();
    const span = this.frames.framesOf(...range);
    this.seek(span[0]);
    this.begin();
    this.span = span;
  }

  faster(by) {
    const at = nearestOf(SPEEDS, this.video.playbackRate) + by;
    this.video.playbackRate = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at))];
    setText(this.speed, `${this.video.playbackRate}×`);
  }

  loopFrames() {
    const range = this.pickedRange() ?? this.focused()?.range;
    return range ? this.frames.framesOf(...range) : [0, this.frames.count - 1];
  }

  toggleLoop() {
    this.loop = !this.loop;
    if (this.loop && !this.isOn) { this.seek(this.loopFrames()[0]); this.play(); }
    this.paint();
  }

  // ------------------------------------------------------------ the pane

  paint() {
    if (this.isStopped || !this.frames) return;
    this.timeline.paint();
    this.track.paint();
    this.spoken?.paint();
    this.paintReadout();
    const { play, loop, put, drop, unbox } = this.buttons;
    play.firstChild.data = this.B.w(this.isOn ? "player.pause" : "player.play");
    loop.setAttribute("aria-pressed", String(this.loop));
    loop.classList.toggle("on", this.loop);
    put.disabled = !this.picked();
    drop.disabled = !this.marks && !this.spoken?.pick;
    if (unbox) unbox.disabled = !(this.marks ? this.keys.length : this.focused()?.range && (this.focused().keyframes.length || this.focused().box));
  }

  paintReadout() {
    const { B, frames, frame } = this;
    const values = { time: clipTime(this.time, 3), whole: clipTime(frames.last - frames.timeOf(0), 1), n: frame + 1, count: frames.count };
    setText(this.readout, B.w(this.isVideo ? "player.readout" : "player.readout_sound", values));
    const range = this.pickedRange();
    const marked = range ? B.w("player.marked", { range: clipRange(range, 3) }) : this.marks ? B.w(this.marks.first !== null ? "player.marked_in" : "player.marked_out", { time: clipTime(frames.timeOf(this.marks.first ?? this.marks.last), 3) }) : "";
    this.readout.title = marked;
    this.node.dataset.marks = range ? range.join(" ") : "";
  }

  /** From a card: go there and play it once. */
  showOnce({ range }) {
    if (!range) return;
    if (this.frames) this.playRange(range);
    else this.waiting = [range, true];
  }

  reveal(slot) { if (slot.range) this.goTo(slot.range); }

  /** Be inside a range, at its beginning unless the playhead is in it already. */
  goTo(range) {
    if (!this.frames) { this.waiting = [range, false]; return; }
    if (!isSeen({ range }, this.time)) { this.pause(); this.seek(this.frames.frameAt(range[0])); }
    this.timeline.reveal(...range);
  }

  key(chord, e) {
    if (!this.frames) return false;
    if (["Enter", " "].includes(chord) && e.target.closest("button")) return false;
    if (this.track.key(chord, e) || this.spoken?.key(chord, e)) return true;
    const edge = EDGES[this.B.keyMap.get(chord)];
    if (edge) return this.moveEdge(...edge);
    if (chord === "Enter") { if (!this.marks && !this.picked()) return false; this.put(); return true; }
    if (chord === "Escape") { if (!this.drop()) return false; this.B.paint(); return true; }
    if (chord === "Delete" || chord === "Backspace") return this.isVideo && this.track.remove();
    const act = PLAYER_KEYS[chord];
    if (!act) return false;
    this.B.active();
    act(this);
    return true;
  }

  stop() {
    this.isStopped = true;
    this.isOn = false;
    cancelAnimationFrame(this.looking);
    this.sizes.disconnect();
    this.video.pause();
    this.video.removeAttribute("src");  // lets the connection go
    this.video.load();
    dropSaid(this.B);
  }
}

/** The pane of a clip or a sound. */
function makePlayer(B, medium, host) { return new Player(B, medium, host); }
