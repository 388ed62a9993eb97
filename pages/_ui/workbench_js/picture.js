// A picture or the pages of a document: boxes on it, zoom and pan, turning of pages.
//
// The picture lies at whole pixels (`x`, `y`) in its view, `zoom` screen pixels for one of its own.

const STEP = 8;          // screen pixels that an arrow key moves a box by
const LARGEST = 16;      // screen pixels for one of the picture
const WHEEL = 1.0018;    // zoom for one pixel of the wheel

class Picture {
  constructor(B, medium, host) {
    Object.assign(this, { B, id: medium.id, host, page: 0, zoom: 1, x: 0, y: 0, fits: true, held: null, drag: null, fine: false, isReading: false });
    this.nodes = new Map();
    this.sizes = new Map([[0, { width: medium.width || 1, height: medium.height || 1 }]]);
    this.build(medium);
    this.watch = new ResizeObserver(() => this.resized());
    this.watch.observe(this.view);
    this.turnTo(0);
  }

  get medium() { return mediumOf(this.B, this.id); }
  get size() { return this.sizes.get(this.page) ?? this.sizes.get(0); }
  get across() { return this.size.width * this.zoom; }
  get down() { return this.size.height * this.zoom; }
  get pages() { return this.medium.pages || 1; }
  /** The page as mentions name it: none where there is only one picture. */
  get pageName() { return this.pages > 1 || this.medium.kind === "document" ? this.page : null; }

  build(medium) {
    const { B } = this, w = (key, values) => B.w(`picture.${key}`, values);
    this.img = h("img", { class: "whole", alt: "", draggable: "false" });
    this.tileLayer = h("div", { class: "tiles" });
    this.wordLayer = h("div", { class: "words-in" });
    this.boxLayer = h("div", { class: "boxes" });
    this.sheet = h("div", { class: "paper" }, this.img, this.tileLayer);
    this.view = h("div", { class: "view-in", tabindex: "0", role: "application", "aria-label": w("name", { name: medium.name }), "data-home": true },
      this.sheet, this.wordLayer, this.boxLayer);
    const tool = (key, words, act) => button("tool", w(key), act, {}, words);
    this.pageWords = h("span", { class: "soft", role: "status" });
    this.percent = h("span", { class: "soft percent" });
    this.fineTool = button("tool", w("fine_long"), () => this.toggle("fine"), { "aria-pressed": "false" }, w("fine"));
    this.readTool = button("tool", w("read_long"), () => this.toggle("isReading"), { "aria-pressed": "false" }, w("read"));
    const turn = this.pages > 1 ? [tool("page_back", "◀", () => this.turnTo(this.page - 1)), this.pageWords, tool("page_on", "▶", () => this.turnTo(this.page + 1))] : [];
    this.tools = h("div", { class: "tools", role: "toolbar", "aria-label": medium.name }, h("span", { class: "title", text: medium.name, title: medium.name }), ...turn,
      tool("zoom_out", "−", () => this.zoomBy(1 / 1.25)), this.percent, tool("zoom_in", "+", () => this.zoomBy(1.25)), tool("fit", "⤢", () => this.fit()),
      button("tool", w("add_long"), () => this.addBox(), {}, w("add"), h("kbd", { text: "B" })), this.readTool, this.fineTool);
    this.words = new WordsIn(this);
    this.host.replaceChildren(this.view, this.tools, this.words.list);
    this.img.onload = () => this.loaded();
    this.img.onerror = () => { if (this.img.src) B.say(B.w("stage.unloadable", { name: medium.name }), true); };
    listenToPicture(this);
  }

  stop() { this.watch.disconnect(); }

  // ------------------------------------------------------------ the page

  turnTo(page) {
    if (page < 0 || page >= this.pages) return;
    this.page = page;
    this.held = null;
    this.nodes.clear();
    this.boxLayer.replaceChildren();
    this.tileLayer.replaceChildren();
    this.img.removeAttribute("src");
    this.link = null;
    setText(this.pageWords, this.B.w("picture.page", { page: page + 1, pages: this.pages }));
    this.words.turned();
    this.fit();
  }

  /** Ask for the page's link where it is not known, and show it. */
  load() {
    if (this.link) return;
    const { medium, page } = this;
    const said = page === 0 ? { link: medium.view } : keptOf(this.B, "page", { media: this.id, page });
    this.link = said?.link;
    if (said?.problem && this.told !== page) { this.told = page; this.B.say(said.problem, true); }
    if (!this.link) return;
    if (page === 0 && medium.thumbnail) this.sheet.style.backgroundImage = `url("${medium.thumbnail}")`;
    else this.sheet.style.backgroundImage = "";
    this.img.src = this.link;
  }

  loaded() {
    this.natural = this.img.naturalWidth;
    if (this.page > 0) this.sizes.set(this.page, { width: this.img.naturalWidth, height: this.img.naturalHeight });
    if (this.fits) this.fit();
    else this.paint();
  }

  // ------------------------------------------------------------ zoom and pan

  resized() { if (this.fits) this.fit(); else this.place(); }

  fit() {
    const { clientWidth, clientHeight } = this.view;
    if (!clientWidth || !clientHeight) return;
    this.fits = true;
    this.zoom = Math.min((clientWidth - 16) / this.size.width, (clientHeight - 16) / this.size.height, 4);
    [this.x, this.y] = [(clientWidth - this.across) / 2, (clientHeight - this.down) / 2];
    this.place();
  }

  /** Zoom so that a point of the view (its middle, if none is given) stays where it is. */
  zoomBy(by, px = this.view.clientWidth / 2, py = this.view.clientHeight / 2) {
    const least = Math.min(this.view.clientWidth / this.size.width, this.view.clientHeight / this.size.height, 1) / 2;
    const zoom = Math.max(least, Math.min(LARGEST, this.zoom * by));
    const share = zoom / this.zoom;
    [this.x, this.y] = [px - (px - this.x) * share, py - (py - this.y) * share];
    this.zoom = zoom;
    this.fits = false;
    this.place();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.fits = false;
    this.place();
  }

  /** Whether there is more of the picture than the view shows. */
  get isLarger() { return this.across > this.view.clientWidth || this.down > this.view.clientHeight; }

  /** The picture at whole pixels, never quite out of the view. */
  place() {
    const { clientWidth: w, clientHeight: h_ } = this.view;
    const keep = (at, size, room) => Math.round(Math.max(Math.min(40, room) - size, Math.min(room - Math.min(40, room), at)));
    this.x = keep(this.x, this.across, w);
    this.y = keep(this.y, this.down, h_);
    Object.assign(this.sheet.style, { left: `${this.x}px`, top: `${this.y}px`, width: `${this.across}px`, height: `${this.down}px` });
    this.sheet.classList.toggle("grained", this.zoom > 4);
    setText(this.percent, this.B.w("picture.percent", { n: Math.round(this.zoom * 100) }));
    this.paint();
  }

  // ------------------------------------------------------------ boxes

  marks() { return mediaMarksOf(this.B, this.id).filter((m) => m.box && !m.range && (m.page ?? 0) === this.page); }

  /** The box that keys and handles work on: what is selected, else that of the focused slot. */
  chosen() {
    if (this.held) return this.held;
    const slot = this.B.slot;
    return slot?.media === this.id && slot.box && (slot.page ?? 0) === this.page && isLive(slot) && isLive(this.B.event) ? slot : null;
  }

  /** The place of a box: with the words that it was made of while it still touches them. */
  placeFor(box, from = null) {
    const place = { media: this.id, page: this.pageName, box, range: null, keyframes: [], start: null, end: null, text: null };
    if (from?.start == null || !this.words.touch(from, box)) return place;
    return { ...place, start: from.start, end: from.end, text: from.text };
  }

  /** The chosen box at another place: one change that can be undone. */
  edit(box) {
    const chosen = this.chosen();
    if (!chosen || !box || String(box) === String(chosen.box)) { this.paint(); return; }
    const place = this.placeFor(box, chosen);
    if (this.held) { this.held = place; this.B.paint(); return; }
    const { event, part } = this.B.focus;
    const [next] = putPicked(this.B.doc, event, part, { place }, this.B.T, this.B.type(this.B.event));
    this.B.change(next);
  }

  take(place) {
    this.held = place;
    this.B.pickPlace(place);
  }

  /** A box in the middle of what is seen: for those who use no mouse. */
  addBox() {
    const [w, h_] = [this.view.clientWidth, this.view.clientHeight];
    const [left, right] = [Math.max(0, this.x), Math.min(w, this.x + this.across)];
    const [top, bottom] = [Math.max(0, this.y), Math.min(h_, this.y + this.down)];
    const inset = (a, b) => [a + (b - a) * 0.375 , b - (b - a) * 0.375];
    const [x0, x1] = inset(left, right), [y0, y1] = inset(top, bottom);
    const box = boxBetween(x0 - this.x, y0 - this.y, x1 - this.x, y1 - this.y, this.across, this.down);
    if (box) this.take(this.placeFor(box));
    this.view.focus({ preventScroll: true });
  }

  hint() { return this.chosen() ? this.B.w("picture.hint") : ""; }
  picked() { return this.held; }
  drop() { this.held = null; this.words.drop(); }

  reveal(slot) {
    if (slot.page != null && slot.page !== this.page) this.turnTo(slot.page);
    if (!slot.box || this.drag) return;
    const [w, h_] = [this.view.clientWidth, this.view.clientHeight];
    let [l, t, r, b] = edgesOf(slot.box, this.across, this.down);
    const isIn = () => l + this.x >= 0 && t + this.y >= 0 && r + this.x <= w && b + this.y <= h_;
    if (isIn()) return;
    if (r - l > w - 20 || b - t > h_ - 20) {
      this.zoom *= Math.min((w - 40) / (r - l), (h_ - 40) / (b - t));
      [l, t, r, b] = edgesOf(slot.box, this.across, this.down);
    }
    this.fits = false;
    [this.x, this.y] = [w / 2 - (l + r) / 2, h_ / 2 - (t + b) / 2];
    this.place();
  }

  // ------------------------------------------------------------ painting

  paint() {
    if (!this.medium) return;
    this.load();
    const { B } = this, used = new Set(), nodes = [];
    const chosen = this.chosen();
    for (const mark of this.marks()) {
      const key = `${mark.event}/${mark.part}`;
      const isChosen = !this.held && B.focus?.event === mark.event && B.focus.part === mark.part;
      used.add(key);
      nodes.push(this.boxNode(key, mark, isChosen && this.drag?.box ? this.drag.box : mark.box, isChosen && chosen));
    }
    if (this.held) { used.add("held"); nodes.push(this.boxNode("held", null, this.drag?.chosen ? this.drag.box : this.held.box, true)); }
    if (this.drag?.kind === "draw" && this.drag.box) { used.add("new"); nodes.push(this.boxNode("new", null, this.drag.box, false)); }
    for (const key of this.nodes.keys()) if (!used.has(key)) this.nodes.delete(key);
    const now = this.boxLayer.childNodes;
    if (now.length !== nodes.length || nodes.some((n, i) => n !== now[i])) keepFocus(this.boxLayer, nodes);
    this.view.classList.toggle("armed", !!B.armed || this.isReading);
    this.words.paint();
    paintTiles(this);
  }

  boxNode(key, mark, box, isChosen) {
    const { B } = this;
    let node = this.nodes.get(key);
    if (!node) {
      node = h("div", { class: "box", tabindex: mark ? "0" : "-1", role: mark ? "button" : "img", "data-key": key });
      if (mark) node.onfocus = () => { if (B.focus?.event !== mark.event || B.focus.part !== mark.part) B.setFocus(mark.event, mark.part); };
      this.nodes.set(key, node);
    }
    const [l, t, r, b] = edgesOf(box, this.across, this.down);
    const place = `left:${l + this.x}px;top:${t + this.y}px;width:${Math.max(1, r - l)}px;height:${Math.max(1, b - t)}px;`;
    const colour = mark ? `--c:var(--e${colourOf(mark.number)});` : "--c:var(--accent);";
    const level = mark ? heat(B, mark) : 2;
    const sign = JSON.stringify([place, mark && [mark.number, mark.label, mark.type, mark.decision, mark.kind, mark.text], level, isChosen, B.armed]);
    if (node.sign === sign) return node;
    node.sign = sign;
    node.style.cssText = place + colour;
    node.className = `box ${mark ? `${mark.kind} ${mark.decision}` : "held"}${level ? ` hot${level}` : ""}${isChosen ? " chosen" : ""}${r - l < 28 || b - t < 28 ? " small" : ""}`;
    node.setAttribute("aria-label", mark ? B.w("picture.box", { n: mark.number, type: mark.type, role: `${mark.label} ${mark.text ?? ""}`.trim(), decision: B.w(`decision.${mark.decision}`) }) : B.w("picture.picked"));
    const tag = mark ? h("span", { class: "box-tag", "aria-hidden": "true" }, h("b", { text: String(mark.number) }), h("span", { text: mark.label })) : null;
    node.replaceChildren(...(tag ? [tag] : []), ...(isChosen && !B.armed ? HANDLES.map((name) => h("i", { class: `handle ${name}`, "data-handle": name })) : []));
    return node;
  }

  toggle(name) {
    this[name] = !this[name];
    this.fineTool.setAttribute("aria-pressed", String(this.fine));
    this.readTool.setAttribute("aria-pressed", String(this.isReading));
    this.paint();
  }

  // ------------------------------------------------------------ keys

  key(chord, e) {
    if (this.words.list.contains(e.target)) return this.words.key(chord);
    if (e.target.closest("button, summary")) return false;
    const arrow = /^(Shift\+)?Arrow(Left|Right|Up|Down)$/.exec(chord);
    if (arrow) return this.arrow(arrow[2], !!arrow[1]);
    if (chord === " ") { this.isSpace = true; return true; }
    const acts = {
      b: () => this.addBox(), r: () => this.toggle("isReading"), w: () => this.toggle("fine"), "0": () => this.fit(),
      "+": () => this.zoomBy(1.25), "=": () => this.zoomBy(1.25), "-": () => this.zoomBy(0.8),
      PageUp: () => this.turnTo(this.page - 1), PageDown: () => this.turnTo(this.page + 1),
    };
    if (acts[chord]) { acts[chord](); return true; }
    if (chord === "Delete" || chord === "Backspace") return this.remove();
    if (chord === "Escape" && this.drag) { this.drag = null; this.paint(); return true; }
    return false;
  }

  remove() {
    if (this.held) { this.drop(); this.B.paint(); return true; }
    if (!this.chosen()) return false;
    this.B.reject();
    return true;
  }

  /** Move the chosen box, or with Shift its right and lower edge; without one, move the picture. */
  arrow(way, isShift) {
    const chosen = this.chosen();
    const [ax, ay] = { Left: [-1, 0], Right: [1, 0], Up: [0, -1], Down: [0, 1] }[way];
    if (!chosen) {
      if (isShift || !this.isLarger) return false;
      this.pan(-ax * 60, -ay * 60);
      return true;
    }
    const by = this.fine ? 1 : STEP / this.zoom;  // in pixels of the picture
    const [dx, dy] = [(ax * by) / this.size.width, (ay * by) / this.size.height];
    this.edit(isShift ? pullBox(chosen.box, way === "Left" || way === "Right" ? "e" : "s", dx, dy) : moveBox(chosen.box, dx, dy));
    if (this.chosen()) this.reveal(this.chosen());
    return true;
  }
}

/** Put nodes into a layer in this order; the one that has the keyboard keeps it. */
function keepFocus(layer, nodes) {
  const active = layer.contains(document.activeElement) ? document.activeElement : null;
  const wanted = new Set(nodes);
  for (const node of [...layer.childNodes]) if (!wanted.has(node)) node.remove();
  nodes.forEach((node, i) => { if (layer.childNodes[i] !== node && (node !== active || !node.isConnected)) layer.insertBefore(node, layer.childNodes[i] ?? null); });
  if (active && !active.isConnected) layer.parentElement.focus({ preventScroll: true });
}

// ---------------------------------------------------------------- the cards

/** Where a slot lies in a picture, in words. */
function placeInPicture(B, medium, slot) {
  return slot.page != null && (medium.pages > 1 || medium.kind === "document") ? B.w("place.page", { page: slot.page + 1 }) : "";
}

/** A small picture of what a box shows: a piece of the page. */
function cropOfPicture(B, medium, slot) {
  if (!slot.box) return null;
  const link = slot.page ? keptOf(B, "page", { media: medium.id, page: slot.page })?.link : medium.view;
  if (!link) return null;
  const [x, y, w, h_] = slot.box;
  const shape = ((medium.width || 1) * w) / ((medium.height || 1) * h_);
  const high = Math.min(30, 64 / shape), wide = high * shape;
  const at = (from, size) => (size >= 1 ? 0 : (from / (1 - size)) * 100);
  return h("span", { class: "crop", style: `width:${wide}px;height:${high}px;background-image:url("${link}");`
    + `background-size:${100 / w}% ${100 / h_}%;background-position:${at(x, w)}% ${at(y, h_)}%;` });
}

for (const kind of ["image", "document"]) {
  PANES[kind] = (B, medium, host) => new Picture(B, medium, host);
  CROPS[kind] = cropOfPicture;
  PLACES[kind] = placeInPicture;
}
