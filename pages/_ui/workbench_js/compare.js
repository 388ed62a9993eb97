// Two opinions side by side, models or people: only what differs, to be taken from either side.

function openCompare(B) {
  closeWindow(B);
  let at = 0;
  const taken = new Map();
  const sheet = h("div", { class: "sheet compare", role: "dialog", tabindex: "-1", "aria-label": B.w("opinions.title") });
  const data = () => sideOf(B).opinions;
  const take = (index, side) => {
    const pair = data().pairs[index];
    const target = eventLike(B.doc, [pair[side], pair.left, pair.right]);
    B.change(takeOpinion(B.doc, target, pair[side]));
    const now = pair[side] && eventLike(B.doc, [pair[side]]);
    if (now) B.focus = { event: now.id, part: "" };
    taken.set(index, side);
    at = Math.min(index + 1, data().pairs.length - 1);
    B.paint();
    paint();
  };
  const edit = (index) => {
    const pair = data().pairs[index];
    if (!eventLike(B.doc, [pair.left, pair.right])) B.change(takeOpinion(B.doc, null, pair.left ?? pair.right));
    const event = eventLike(B.doc, [pair.left, pair.right]);
    closeWindow(B);
    B.setFocus(event.id, "");
  };
  const choose = (name, value) => {
    const side = data();
    taken.clear();
    at = 0;
    B.askSide("opinions", name === "left" ? { one: value, other: side.right } : { one: side.left, other: value });
    sheet.focus();
  };
  const paint = () => {
    const side = data();
    const head = h("div", { class: "drawer-head" }, h("div", { class: "title", text: B.w("opinions.title") }),
      plain("plain", B.w("side.close"), () => closeWindow(B), "Esc"));
    if (!side) { sheet.replaceChildren(head, h("p", { class: "soft", role: "status", text: B.w("side.loading") })); return; }
    if (side.choices.length < 2) { sheet.replaceChildren(head, h("p", { class: "soft", text: B.w("opinions.none") })); return; }
    const select = (name) => {
      const node = h("select", { "aria-label": B.w(`opinions.${name}`), onchange: () => choose(name, node.value) },
        ...side.choices.map((c) => h("option", { value: c.name, text: c.label })));
      node.value = side[name];
      return node;
    };
    sheet.replaceChildren(head, h("div", { class: "pair heads" }, select("left"), select("right")),
      ...side.pairs.map((pair, i) => h("div", { class: `pair${i === at ? " at" : ""}`, role: "group", "aria-current": String(i === at), onclick: () => { at = i; paint(); } },
        ...["left", "right"].map((name) => sideOfPair(B, pair, name, taken.get(i) === name, () => take(i, name))))),
      side.pairs.length ? "" : h("p", { class: "soft", text: B.w("opinions.same") }),
      h("p", { class: "soft", text: B.w("opinions.keys") }));
    sheet.querySelector(".pair.at")?.scrollIntoView({ block: "nearest" });
  };
  B.window = {
    onSide: (part) => { if (part === "opinions") paint(); },
    onKey: (e) => {
      const last = (data()?.pairs?.length ?? 0) - 1;
      if (e.key === "Escape") closeWindow(B);
      else if (e.target.tagName === "SELECT" || e.ctrlKey || e.metaKey || e.altKey) return false;
      else if (last < 0) return false;
      else if (e.key === "ArrowDown" || e.key === "ArrowUp") { at = Math.max(0, Math.min(last, at + (e.key === "ArrowDown" ? 1 : -1))); paint(); }
      else if (e.key === "1" || e.key === "2") take(at, e.key === "1" ? "left" : "right");
      else if (e.key === "z") { B.undoStep(); taken.clear(); paint(); }
      else if (e.key === "e") edit(at);
      else return false;
      return true;
    },
  };
  paint();
  B.el.window.replaceChildren(sheet);
  B.el.window.hidden = false;
  sheet.focus();
  B.askSide("opinions");
}

/** One side of a difference: the event as it says, what the other side does not say stands out. */
function sideOfPair(B, pair, name, isTaken, take) {
  const mine = pair[name], other = pair[name === "left" ? "right" : "left"];
  const key = name === "left" ? "1" : "2";
  const sign = (slot) => slot && JSON.stringify([slot.role, spansOf(slot), slot.text]);
  const says = (slot) => [other?.trigger, ...(other?.arguments ?? [])].some((s) => sign(s) === sign(slot));
  const rows = mine ? [mine.trigger, ...mine.arguments].filter(Boolean).map((slot) => h("div", { class: `line${says(slot) ? "" : " differs"}` },
    h("span", { class: "soft", text: slot.role ? roleName(B, mine, slot.role) : B.w("slot.trigger") }), h("span", { dir: "auto", text: slot.text ?? "" }))) : [];
  const title = mine ? B.label(B.type(mine) ?? { name: mine.event_type }) : B.w("opinions.missing");
  return h("div", { class: `opinion${isTaken ? " taken" : ""}`, "data-side": name },
    h("div", { class: `line${mine && other?.event_type === mine.event_type ? "" : " differs"}` }, h("strong", { text: title }), isTaken ? h("span", { class: "soft", text: B.w("opinions.taken") }) : null),
    ...rows, plain("plain", B.w("opinions.take"), take, key));
}
