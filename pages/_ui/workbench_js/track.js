// Boxes on the frames of a clip: drawn on the paused picture, still or moving between keyframes.

const NUDGE = 0.005;  // of the picture, for one press of an arrow key on a box

class Track {
  constructor(P) {
    this.P = P;
    this.drag = null;
    this.node = h("div", { class: "track" });
    this.node.onpointerdown = (e) => this.begin(e);
    this.node.onpointermove = (e) => this.follow(e);
    this.node.onpointerup = (e) => this.end(e);
    this.node.onpointercancel = () => { this.drag = null; this.paint(); };
  }

  /** Lie exactly over the picture, whatever room there is around it. */
  fit() {
    const { video } = this.P, box = video.parentElement.getBoundingClientRect();
    const [w, t] = [video.videoWidth || this.P.medium.width || 16, video.videoHeight || this.P.medium.height || 9];
    const scale = Math.min(box.width / w, box.height / t);
    const size = [Math.round(w * scale), Math.round(t * scale)];
    const style = { left: `${Math.round((box.width - size[0]) / 2)}px`, top: `${Math.round((box.height - size[1]) / 2)}px`, width: `${size[0]}px`, height: `${size[1]}px` };
    Object.assign(this.node.style, style);
    Object.assign(video.style, style);
  }

  // ------------------------------------------------------------ what is drawn

  paint() {
    const { P } = this, time = P.time;
    const marks = P.bars().filter((m) => !m.isText && isSeen(m, time)).map((m) => ({ ...m, at: placeAt(m, time) })).filter((m) => m.at);
    const keys = P.marks && P.keys.length && isSeen({ range: P.pickedRange() }, time) ? [{ isPick: true, number: 1, label: "", decision: "accepted", keyframes: P.keys, at: boxAt(P.keys, time) }] : [];
    const all = [...marks, ...keys];
    const target = this.target(), sign = JSON.stringify([all, all.map((m) => (m.isPick ? 2 : heat(P.B, m))), this.drag?.box, P.isPlaying]);
    if (sign === this.sign) return;
    this.sign = sign;
    const isHeld = document.activeElement?.closest?.(".track .spot");
    this.node.replaceChildren(...all.map((m) => this.makeSpot(m, target)), ...(this.drag?.box && !this.drag.isOld ? [this.frameOf(h("div", { class: "spot new" }), this.drag.box)] : []));
    if (isHeld) this.node.querySelector(".spot.mine")?.focus({ preventScroll: true });
  }

  makeSpot(mark, target) {
    const { P } = this, isMine = mark.isPick ? !target?.event : target && mark.event === target.event && mark.part === target.part;
    const isKey = mark.keyframes.some((k) => k[0] === P.time);
    const name = mark.isPick ? P.B.w("player.box_new") : P.B.w("player.box", { n: mark.number, role: mark.label, decision: P.B.w(`decision.${mark.decision}`) });
    const hot = mark.isPick ? 2 : heat(P.B, mark);
    const node = h("div", {
      class: `spot ${mark.decision}${isMine ? " mine" : ""}${isKey ? " key" : ""}${mark.isPick ? " picked" : ""}${hot ? ` hot${hot}` : ""}`,
      role: "button", tabindex: isMine ? "0" : "-1", "aria-label": name, title: name, style: `--c:var(--e${colourOf(mark.number)})`,
    }, h("span", { class: "label", text: mark.isPick ? "" : `${mark.number} ${mark.label}` }));
    if (isMine && !P.isPlaying) node.append(...HANDLES.map((grip) => h("i", { class: `handle ${grip}`, "data-grip": grip })));
    node.mark = mark;
    return this.frameOf(node, isMine && this.drag?.isOld && this.drag.box ? this.drag.box : mark.at);
  }

  frameOf(node, [x, y, w, t]) {
    const pc = (n) => `${n * 100}%`;
    Object.assign(node.style, { left: pc(x), top: pc(y), width: pc(w), height: pc(t) });
    return node;
  }

  // ------------------------------------------------------------ whose box it is

  /** The range that a new box belongs to: what is picked, else the focused mention. */
  target() {
    const { P } = this;
    if (P.marks) return { keyframes: P.keys };
    return P.focused();
  }

  /** Keep a box as the keyframe of this frame. */
  keep(box) {
    const { P } = this, { time } = P;
    let target = this.target();
    if (!target) { P.setMarks(P.frame, P.frame); target = { keyframes: [] }; }
    if (!target.event) {
      if (!isSeen({ range: P.pickedRange() }, time)) { P.B.say(P.B.w("player.outside"), true); return; }
      P.keys = setKeyframe(P.keys, time, box);
      P.B.paint();
      return;
    }
    if (!target.range) { P.change(target, { box, keyframes: [] }); return; }
    if (!isSeen(target, time)) { P.B.say(P.B.w("player.outside"), true); return; }
    P.change(target, { keyframes: setKeyframe(keysOf(target), time, box), box: null });
  }

  /** Take the keyframe nearest to this frame away. */
  remove() {
    const { P } = this, target = this.target();
    if (!target || (target.event && !target.range) || !(target.keyframes.length || target.box)) return false;
    if (target.event) P.change(target, { keyframes: target.box ? [] : removeKeyframe(target.keyframes, P.time), box: null });
    else { P.keys = removeKeyframe(P.keys, P.time); P.B.paint(); }
    return true;
  }

  /** A box without the mouse: in the middle of the picture, or where the mention's box is now. */
  add() {
    const target = this.target(), here = target && (target.event ? placeAt(target, this.P.time) : boxAt(target.keyframes, this.P.time));
    this.keep(here ?? [0.35, 0.35, 0.3, 0.3]);
    this.node.querySelector(".spot.mine")?.focus({ preventScroll: true });
  }

  /** Arrow keys on a box move it, with Shift they change its size. */
  key(chord, e) {
    const spot = e.target.closest?.(".spot.mine");
    const step = { ArrowLeft: [-NUDGE, 0], ArrowRight: [NUDGE, 0], ArrowUp: [0, -NUDGE], ArrowDown: [0, NUDGE] }[chord.replace("Shift+", "")];
    if (!spot || !step) return false;
    const [x, y, w, t] = spot.mark.at;
    this.keep(chord.startsWith("Shift+") ? [x, y, Math.max(NUDGE, Math.min(1 - x, w + step[0])), Math.max(NUDGE, Math.min(1 - y, t + step[1]))]
      : [Math.max(0, Math.min(1 - w, x + step[0])), Math.max(0, Math.min(1 - t, y + step[1])), w, t]);
    return true;
  }

  // ------------------------------------------------------------ the mouse

  /** Where the pointer is on the picture, as fractions of it. */
  at(e) {
    const box = this.node.getBoundingClientRect();
    return [(e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height].map((n) => Math.max(0, Math.min(1, n)));
  }

  begin(e) {
    if (e.button) return;
    const { P } = this, spot = e.target.closest(".spot"), from = this.at(e);
    this.node.setPointerCapture(e.pointerId);
    const grip = e.target.dataset.grip, isMine = spot?.classList.contains("mine");
    this.drag = { from, x: e.clientX, y: e.clientY, spot: spot?.mark ?? null, grip, isOld: !!isMine, was: isMine ? spot.mark.at : null, wasPlaying: P.isPlaying };
    if (P.isPlaying) P.pause();
  }

  follow(e) {
    const { drag } = this;
    if (!drag || drag.wasPlaying) return;
    if (!drag.moved && Math.hypot(e.clientX - drag.x, e.clientY - drag.y) < 4) return;
    drag.moved = true;
    const [x, y] = this.at(e), [a, b] = drag.from;
    if (drag.isOld) drag.box = drag.grip ? pullBox(drag.was, drag.grip, x - a, y - b) : moveBox(drag.was, x - a, y - b);
    else drag.box = tidyBox([Math.min(a, x), Math.min(b, y), Math.abs(x - a), Math.abs(y - b)]);
    this.paint();
  }

  end() {
    const { drag, P } = this;
    this.drag = null;
    if (!drag) return;
    if (drag.moved && drag.box && drag.box[2] > 0 && drag.box[3] > 0) this.keep(drag.box);
    else if (!drag.moved && drag.spot?.event && !drag.isOld) P.B.setFocus(drag.spot.event, drag.spot.part);
    else if (!drag.moved && !drag.isOld && !drag.wasPlaying) P.play();
    this.paint();
  }
}

/** Whether a mention's range holds a time; one without a range is seen all the time. */
const isSeen = ({ range }, time) => !range || (time >= range[0] - ROUNDING && (time < range[1] - ROUNDING || range[0] === range[1]));

/** Where a mention is at a time, null where it has no box. */
const placeAt = (mark, time) => (mark.keyframes?.length ? boxAt(mark.keyframes, time) : mark.box ?? null);

/** The keyframes of a mention; a box that stands still is one at the beginning of its range. */
const keysOf = (mark) => (mark.keyframes?.length ? mark.keyframes : mark.box && mark.range ? [[mark.range[0], ...mark.box]] : []);
