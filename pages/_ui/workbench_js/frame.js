// The frame around text and cards: top line, hint, bottom bar, and the mounting.

function buildFrame(B) {
  const el = (B.el = {});
  el.top = h("div", { class: "top" });
  el.evidence = h("div", {
    class: "evidence", tabindex: "0", role: "textbox", "aria-readonly": "true", "aria-multiline": "true",
    "aria-label": B.w("evidence.name"), translate: "no",
  });
  el.parallel = h("div", { class: "parallel" });
  el.scroller = h("div", { class: "scroller" }, el.evidence, el.parallel);
  el.strip = h("div", { class: "strip", role: "tablist", "aria-label": B.w("stage.strip"), hidden: true });
  el.pane = h("div", { class: "pane" });
  el.stage = h("div", { class: "stage", role: "region", "aria-label": B.w("stage.name"), hidden: true }, el.strip, el.pane);
  el.outline = h("div", { class: "outline", role: "navigation", "aria-label": B.w("outline.name"), hidden: true });
  el.notes = h("div", { class: "notes", role: "region", "aria-label": B.w("note.name"), hidden: true });
  el.checks = h("div", { class: "checks", role: "region", "aria-label": B.w("check.name"), hidden: true });
  el.hint = h("div", { class: "hint" });
  el.threshold = h("select", { class: "threshold", "aria-label": B.w("threshold.label"), title: B.w("threshold.label") },
    ...[0, 0.5, 0.7, 0.9].map((n) => h("option", { value: String(n), text: n ? B.w("threshold.from", { n: n.toFixed(1) }) : B.w("threshold.all") })));
  el.count = h("span", { class: "count" });
  el.acceptAll = plain("plain", B.w("act.accept_all"), () => { B.active(); B.acceptAll(); }, B.keyName("accept_all"));
  el.cards = h("div", { class: "cards", role: "region", "aria-label": B.w("cards.name"), tabindex: "-1" });
  el.window = h("div", { class: "window", hidden: true });
  el.done = h("div", { class: "done", hidden: true });
  el.live = h("div", { class: "live", role: "status", "aria-live": "polite" });
  el.undo = button("icon", B.w("key.undo"), () => B.undoStep(), {}, "↶");
  el.redo = button("icon", B.w("key.redo"), () => B.redoStep(), {}, "↷");
  el.saved = h("span", { class: "saved", role: "status" });
  el.open = h("span", { class: "open" });
  el.model = h("span", { class: "model" });
  el.back = button("icon", B.w("key.prev_sample"), () => B.go(-1), {}, "↑");
  el.skip = plain("plain", B.w("act.skip"), () => { B.active(); B.skip(); }, B.keyName("skip"));
  el.flag = plain("plain", B.w("act.flag"), () => B.flag(), B.keyName("flag"));
  el.comment = plain("plain", B.w("act.comment"), () => B.comment(), B.keyName("comment"));
  el.submit = plain("submit", B.w("act.submit"), () => { B.active(); B.submit(); }, B.keyName("submit"));
  el.bar = h("div", { class: "bar", role: "toolbar", "aria-label": B.w("bar.name") },
    el.undo, el.redo, el.saved, el.open, el.model, el.back, el.comment, el.flag, el.skip, el.submit);
  B.root.replaceChildren(el.top, h("div", { class: "middle" },
    (el.left = h("div", { class: "left" }, el.stage, h("div", { class: "view" }, el.scroller, el.outline), el.hint)),
    h("div", { class: "right" }, h("div", { class: "over" }, el.count, el.threshold, el.acceptAll,
      plain("tool", B.w("act.history"), () => openHistory(B), B.keyName("history")), plain("tool", B.w("act.opinions"), () => openCompare(B), B.keyName("opinions"))), el.notes, el.checks, el.cards)),
    el.done, el.bar, el.window, el.live);
}

/** Language · modality · source · date · why here · #id, and the filter with how far the work is. */
function paintTop(B) {
  const s = B.sample, filter = B.data.filter;
  const facts = s ? [s.modality, s.source, s.date, s.split ? B.w("top.split", { split: s.split }) : null] : [];
  const language = h("select", { class: "filter", "aria-label": B.w("filter.language"), onchange: () => choose() },
    h("option", { value: "", text: B.w("filter.all") }),
    ...filter.languages.map((l) => h("option", { value: l.code, text: `${l.name} · ${l.waiting}` })),
    ["", ...filter.languages.map((l) => l.code)].includes(filter.language) ? null : h("option", { value: filter.language, text: filter.language }));
  language.value = filter.language;
  const unreviewed = h("input", { type: "checkbox", onchange: () => choose() });
  const choose = () => { focusHome(B); B.setFilter({ language: language.value, unreviewed: unreviewed.checked }); };
  unreviewed.checked = filter.unreviewed;
  const order = h("select", { class: "filter queue", "aria-label": B.w("filter.queue"), onchange: () => { focusHome(B); B.setFilter({ queue: order.value }); } },
    h("option", { value: "", text: B.w("filter.no_queue") }), ...B.data.queue.choices.map((q) => h("option", { value: q.link, text: q.name })));
  order.value = filter.queue;
  const place = filter.queue ? { number: B.data.queue.number ?? "–", total: B.data.queue.total } : null;
  const sign = JSON.stringify([s?.key, facts, s?.why, filter, B.data.progress, B.data.queue]);
  if (sign === B.topSign) return;
  B.topSign = sign;
  B.el.top.replaceChildren(
    h("div", { class: "facts" }, s ? h("strong", { class: "code", text: s.language.toUpperCase(), title: s.language_name }) : null,
      ...facts.filter(Boolean).map((f) => h("span", { text: f })), s ? h("span", { class: "why", text: s.why }) : null,
      s ? h("span", { class: "id", text: `#${s.key}`, title: s.id }) : null),
    h("div", { class: "filters" }, order, language, filter.queue ? null : h("label", { class: "check" }, unreviewed, B.w("filter.unreviewed")),
      place ? h("span", { class: "progress place", text: B.w("top.place", place), title: B.w("top.place_long", place) })
        : h("span", { class: "progress", text: B.w("top.progress", B.data.progress), title: B.w("top.progress_long", B.data.progress) })));
}

/** One line below the text: what the next key does, or what is wrong. */
function paintHint(B) {
  if (B.done) return;
  let words = "", kind = "";
  if (B.note) { words = B.note.words; kind = B.note.isProblem ? "problem" : ""; }
  else if (B.armed) {
    const role = B.armed.part === "t" ? B.w("slot.trigger") : B.label(B.type(eventOf(B.doc, B.armed.event))?.roles.find((r) => r.name === B.armed.part.slice(2)) ?? { name: B.armed.part.slice(2) });
    words = B.w("hint.armed", { role });
    kind = "armed";
  } else if (B.picked()) words = B.w(B.event ? "hint.selected" : "hint.selected_no_event");
  else if (B.inStage && B.pane?.hint?.()) words = B.pane.hint();
  else words = B.w(B.doc.events.length ? "hint.events" : "hint.start");
  const unit = plain("tool", B.w(B.byWord ? "unit.word" : "unit.character"), () => B.toggleUnit(), B.keyName("unit"), { title: B.w("key.unit") });
  const sure = plain("tool", B.w("confidence.show"), () => {
    B.showConfidence = !B.showConfidence;
    spare.set("argus.confidence", B.showConfidence);
    B.paint();
  }, null, { "aria-pressed": String(B.showConfidence) });
  const labels = B.labelLanguages.length > 1 ? plain("tool", B.w("labels.in", { language: B.labelLanguage.toUpperCase() }), () => B.nextLabels(), null, { title: B.w("labels.what") }) : null;
  const list = isLong(B) ? plain("tool", B.w("act.outline"), () => openOutline(B), B.keyName("outline")) : null;
  const fits = B.picked() && B.focus?.part && B.event && isLive(B.event);
  const put = fits ? plain("tool strong", B.w("hint.put"), () => B.put(), B.keyName("put")) : null;
  const help = plain("tool", B.w("help.open"), () => openHelp(B), "?");
  B.el.hint.className = `hint ${kind}`;
  B.el.hint.replaceChildren(h("span", { class: "line", role: "status", text: words }), ...[put, list, unit, labels, sure, help].filter(Boolean));
}

function paintBar(B) {
  const { el, sample } = B;
  const nothing = !sample;
  const unsent = !nothing && (B.line.waits(sample.stamp) || B.rev > B.savedRev);
  const late = B.line.isLate() || B.trouble;
  const pending = B.line.queue.filter((m) => m.kind === "submit").length;
  el.undo.disabled = nothing || !B.undo.length;
  el.redo.disabled = nothing || !B.redo.length;
  el.saved.className = `saved${late ? " late" : ""}`;
  const kept = B.line.isKept() ? "" : "_unkept";
  setText(el.saved, B.trouble ? B.w(`saved.trouble${kept}`, { why: B.trouble }) : late ? B.w(`saved.late${kept}`)
    : pending ? B.w("saved.submitting") : unsent ? B.w("saved.saving") : !nothing && B.rev > 0 ? B.w("saved.draft") : "");
  el.saved.dataset.rev = nothing ? "" : String(unsent ? "" : B.savedRev);
  const open = nothing ? 0 : countOpen(B.doc);
  const broken = nothing ? 0 : (B.rules ?? []).length;
  setText(el.open, broken ? B.w(broken === 1 ? "bar.rule" : "bar.rules", { n: broken }) : open ? B.w("bar.open", { n: open }) : "");
  el.open.classList.toggle("problem", broken > 0);
  setText(el.model, sample?.model ?? "");
  setText(el.count, nothing ? "" : countWords(B, open));
  el.acceptAll.disabled = !open;
  el.submit.disabled = nothing;
  el.skip.disabled = el.flag.disabled = el.comment.disabled = nothing;
}

function countWords(B, open) {
  const n = B.doc.events.filter(isLive).length;
  const words = B.w(n === 1 ? "cards.one" : "cards.many", { n });
  return open ? `${words} · ${B.w("cards.open", { n: open })}` : words;
}

const setText = (node, words) => { if (node.textContent !== words) node.textContent = words; };

/** What stands in the middle when no sample is open. */
function paintDone(B) {
  B.el.done.hidden = !B.done;
  if (!B.done) return;
  const { filter } = B.data;
  const leaving = B.line.queue.length > 0;
  B.el.done.replaceChildren(
    h("p", { class: "big", text: B.w(leaving ? "done.leaving" : filter.queue || filter.language || filter.unreviewed ? "done.filtered" : "done.nothing") }),
    !leaving && filter.queue ? plain("plain", B.w("filter.no_queue"), () => B.setFilter({ queue: "" })) : null,
    !leaving && !filter.queue && filter.unreviewed ? plain("plain", B.w("done.show_reviewed"), () => B.setFilter({ unreviewed: false })) : null,
    !leaving && filter.language ? plain("plain", B.w("done.all_languages"), () => B.setFilter({ language: "" })) : null);
  B.el.hint.replaceChildren();
}

/** The workbench fills the window below the page's head; text and cards scroll, the bar stays. */
function fitHeight(B) {
  const top = B.root.getBoundingClientRect().top + (B.root.closest("[data-testid=stMain]")?.scrollTop ?? 0);
  B.root.style.setProperty("--top", `${Math.max(0, Math.round(top))}px`);
}

function isDark(node) {
  const [r, g, b] = (getComputedStyle(node).backgroundColor.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 110;
}

// ---------------------------------------------------------------- mounting

/** The workbench's style, once a page. */
function wearStyle(style) {
  let node = document.getElementById("argus-wb-style");
  if (!node) document.head.append(node = h("style", { id: "argus-wb-style" }));
  node.textContent = style;
}

const benches = new WeakMap();

const isDialog = (node) => !!node.closest?.('[role="dialog"], [data-rac]');

/** Listen while the component stands; Streamlit may call the cleanup and mount again. */
function listen(B) {
  if (B.stop) return;
  const off = [];
  const on = (node, name, act, options) => { node.addEventListener(name, act, options); off.push(() => node.removeEventListener(name, act, options)); };
  on(B.root, "keydown", (e) => pressKey(B, e));
  on(document, "keydown", (e) => {  // keys that work from anywhere on the page
    const outside = !B.root.contains(e.target);
    if (outside && !isTyping(e.target) && ANYWHERE.has(B.keyMap.get(chordOf(e)))) pressKey(B, e);
  }, true);
  let down = false;
  on(B.el.evidence, "mousedown", () => { down = true; B.active(); B.el.evidence.focus({ preventScroll: true }); });
  on(window, "mouseup", () => { if (down) { down = false; B.afterMouse(() => B.sample && takeSelection(B)); } });
  on(B.root, "mousedown", () => { B.endMouse(); B.active(); });
  on(B.root, "focusin", (e) => {
    B.hadFocus = true;
    if (e.target === B.el.evidence) B.inStage = false;
    else if (B.el.stage.contains(e.target)) B.inStage = true;
  });
  on(B.root, "focusout", (e) => { B.hadFocus = !e.relatedTarget || B.root.contains(e.relatedTarget) || isDialog(e.relatedTarget); });
  on(document, "focusout", (e) => {  // a dialog that took the keyboard, of a lost connection say, is gone
    if (B.hadFocus && !e.relatedTarget && isDialog(e.target)) setTimeout(() => { if (document.activeElement === document.body) focusHome(B); });
  });
  on(B.el.evidence, "copy", (e) => {
    if (!B.sel) return;
    e.clipboardData.setData("text/plain", B.T.text.slice(B.sel.a, B.sel.b));
    e.preventDefault();
  });
  on(window, "resize", () => fitHeight(B));
  for (const wait of [0, 60, 200, 600]) setTimeout(() => fitHeight(B), wait);  // the page's head comes later
  const sizes = new ResizeObserver(() => { if (B.sample && B.blocks) fitTags(B, B.blocks.map((b) => b.node)); });
  sizes.observe(B.el.evidence);
  const clock = setInterval(() => B.tick(), 1000);
  B.stop = () => { off.forEach((f) => f()); sizes.disconnect(); clearInterval(clock); B.stop = null; };
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".argus-wb");
  let B = benches.get(root);
  const isNew = !B;
  if (isNew) {
    B = new Bench(root, data.words ?? WORDS, data.person);
    benches.set(root, B);
  }
  B.send = (kind, value) => setTriggerValue(kind, value);
  listen(B);
  root.classList.toggle("dark", isDark(root));
  fitHeight(B);
  B.receive(data);
  if (isNew && (document.activeElement === document.body || !document.activeElement)) focusHome(B);
  return () => B.stop?.();
}
