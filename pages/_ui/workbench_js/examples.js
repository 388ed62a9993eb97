// Beside the sample: the same story in other languages, and corrected samples that are like it.
// Both are asked for after the sample is painted, when nothing else is on its way.

const LATER = 250;  // after the first paint, ms

/** What the server said of the open sample beside it, by part: help, history, opinions. */
const sideOf = (B) => B.sides.get(B.sample?.key) ?? {};

Object.assign(Bench.prototype, {
  takeSide(side) {
    if (!side?.sample) return;
    keepParts(this, side);
    const known = this.sides.get(side.sample) ?? {};
    this.sides.delete(side.sample);
    this.sides.set(side.sample, { ...known, ...side });
    if (this.sides.size > 12) this.sides.delete(this.sides.keys().next().value);
    if (side.sample !== this.sample?.key) return;
    if (JSON.stringify(known.help) !== JSON.stringify(side.help)) buildExamples(this);
    for (const part of ["history", "opinions"]) {
      if (JSON.stringify(known[part]) !== JSON.stringify(side[part])) this.window?.onSide?.(part);
    }
  },

  askSide(act, more = {}) { if (this.sample) this.line.ask("side", { act, ...more, at: this.sample.key }); },

  /** Ask for the examples once the sample stands, and nothing waits to be stored. */
  askHelpLater() {
    clearTimeout(this.helpTimer);
    this.helpTimer = setTimeout(() => {
      if (!this.sample || sideOf(this).help) return;
      const isThere = this.data.open?.key === this.sample.key && !this.line.queue.length;
      if (isThere && document.visibilityState === "visible") this.askSide("help");
      else this.askHelpLater();
    }, LATER);
  },

  /** Open all examples, or close them when they are open. */
  toggleExamples() {
    const all = [...this.el.parallel.querySelectorAll("details")];
    const open = !all.some((d) => d.open);
    for (const one of all) one.open = open;
    if (open) all[0]?.scrollIntoView({ block: "nearest" });
  },
});

function buildExamples(B) {
  const { help } = sideOf(B);
  const { parallel = [], similar = [] } = help ?? {};
  B.el.parallel.dataset.sample = help ? String(B.sample.key) : "";
  B.el.parallel.replaceChildren(
    ...parallel.map((other) => example(B, other, B.w("parallel.name"))),
    ...similar.map((other) => example(B, other, `${B.w("similar.name")} ${other.score.toFixed(2)}`)));
}

/** One text with its events as coloured marks, closed until somebody opens it. */
function example(B, other, name) {
  const details = h("details", { "data-key": String(other.key) },
    h("summary", {}, h("span", { class: "code", text: `${name} · ${other.language.toUpperCase()}` }),
      h("span", { class: "soft first", lang: other.language, dir: other.direction, text: other.text.slice(0, 200) })));
  details.ontoggle = () => {  // painted when it is opened first
    if (!details.open || details.childNodes.length > 1) return;
    details.append(h("p", { class: "marked", lang: other.language, dir: other.direction }, ...markedText(B, other)),
      ...other.events.map((e, i) => h("p", { class: "soft said", style: `--c:var(--e${colourOf(i + 1)})` },
        h("b", { text: `${i + 1} ${B.label(B.type(e) ?? { name: e.event_type })}` }),
        ` ${[e.trigger && `${B.w("example.trigger")} ${e.trigger.text ?? ""}`, ...e.arguments.map((a) => `${roleName(B, e, a.role)} ${a.text ?? ""}`)].filter(Boolean).join(" · ")}`)));
  };
  return details;
}

const roleName = (B, event, role) => B.label(B.type(event)?.roles.find((r) => r.name === role) ?? { name: role });

/** The text cut at every edge of a mark: a trigger is a chip with its number, an argument a line. */
function markedText(B, other) {
  const T = makeText(other.text, other.language);
  const marks = other.events.flatMap((event, i) => [
    ...spansOf(event.trigger).map(([a, b]) => ({ a, b, n: i + 1, chip: true, name: B.w("example.trigger") })),
    ...event.arguments.flatMap((s) => spansOf(s).map(([a, b]) => ({ a, b, n: i + 1, name: roleName(B, event, s.role) }))),
  ]).map((m) => ({ ...m, a: T.unit(m.a), b: T.unit(m.b) }));
  const cuts = [...new Set([0, other.text.length, ...marks.flatMap((m) => [m.a, m.b])])].sort((x, y) => x - y);
  return cuts.slice(1).map((b, i) => {
    const a = cuts[i], over = marks.filter((m) => m.a <= a && m.b >= b);
    const top = over.find((m) => m.chip) ?? over[0];
    if (!top) return other.text.slice(a, b);
    const start = over.filter((m) => m.chip && m.a === a).map((m) => m.n).join(" ");
    return h("span", {
      class: `em${top.chip ? " chip" : ""}`, style: `--c:var(--e${colourOf(top.n)})`, title: over.map((m) => `${m.n} ${m.name}`).join(", "),
      "data-n": start || null, text: other.text.slice(a, b),
    });
  });
}
