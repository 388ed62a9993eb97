// Two opinions side by side, models or people: only what differs, to be taken from either side.

function openCompare(B) {
  closeWindow(B);
  let at = 0;
  const sheet = h("div", { class: "sheet compare", role: "dialog", tabindex: "-1", "aria-label": B.w("opinions.title") });
  const data = () => sideOf(B).opinions;
  const target = (pair) => {
    const { pairs, same } = data();
    const others = [...same, ...pairs.filter((p) => p !== pair).flatMap((p) => [p.left, p.right])].filter(Boolean);
    return eventLike(B.doc, [pair.left, pair.right], others);
  };
  const put = (pair, side) => {
    const now = target(pair), chosen = pair[side];
    const next = takeOpinion(B.doc, chosen || (now && isLive(now)) ? now : null, chosen);
    B.change(chosen || next.events.some(isLive) ? next : { ...next, no_event: true });
    if (chosen) B.focus = { event: target(pair).id, part: "" };
    B.paint();
  };
  const take = (index, side) => {
    put(data().pairs[index], side);
    at = Math.min(index + 1, data().pairs.length - 1);
    paint();
  };
  /** Open the event of a difference in the cards: as a side says it, or as it is in the draft. */
  const edit = (index, side = null) => {
    const pair = data().pairs[index], now = target(pair);
    if (side || !now || !isLive(now)) put(pair, side ?? (pair.left ? "left" : "right"));
    const { id } = target(pair);
    closeWindow(B);
    B.setFocus(id, "");
  };
  const isTaken = (pair, side) => {
    const now = target(pair);
    return pair[side] ? !!now && isLive(now) && alikeness(now, pair[side]) === 4 : !now || !isLive(now);
  };
  const choose = (name, value) => {
    const side = data();
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
        ...["left", "right"].map((name) => sideOfPair(B, pair, name, isTaken(pair, name), () => take(i, name), () => edit(i, name))))),
      side.pairs.length ? "" : h("p", { class: "soft", text: B.w("opinions.same") }),
      h("p", { class: "soft", text: B.w("opinions.keys") }));
    sheet.querySelector(".pair.at")?.scrollIntoView({ block: "nearest" });
  };
  B.window = {
    onSide: (part) => { if (part === "opinions" || part === "page") paint(); },
    onKey: (e) => {
      const last = (data()?.pairs?.length ?? 0) - 1, key = chordOf(e);
      if (key === "Escape") closeWindow(B);
      else if (e.target.tagName === "SELECT" || e.ctrlKey || e.metaKey || e.altKey) return false;
      else if (last < 0) return false;
      else if (key === "ArrowDown" || key === "ArrowUp") { at = Math.max(0, Math.min(last, at + (key === "ArrowDown" ? 1 : -1))); paint(); }
      else if (key === "1" || key === "2") take(at, key === "1" ? "left" : "right");
      else if (key === "z") { B.undoStep(); paint(); }
      else if (key === "Shift+z") { B.redoStep(); paint(); }
      else if (key === "e") edit(at);
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
function sideOfPair(B, pair, name, isTaken, take, edit) {
  const mine = pair[name], other = pair[name === "left" ? "right" : "left"];
  const key = name === "left" ? "1" : "2";
  const says = (slot) => [other?.trigger, ...(other?.arguments ?? [])].some((s) => s && s.role === slot.role && placeOf(s) === placeOf(slot));
  const rows = mine ? [mine.trigger, ...mine.arguments].filter(Boolean).map((slot) => h("div", { class: `line${says(slot) ? "" : " differs"}` },
    h("span", { class: "soft", text: slot.role ? roleName(B, mine, slot.role) : B.w("slot.trigger") }), cropOf(B, slot), h("span", { dir: "auto", text: slotInWords(B, slot) }))) : [];
  const title = mine ? B.label(B.type(mine) ?? { name: mine.event_type }) : B.w("opinions.missing");
  return h("div", { class: `opinion${isTaken ? " taken" : ""}`, "data-side": name },
    h("div", { class: "line" }, h("strong", { class: mine && other?.event_type === mine.event_type ? "" : "differs", text: title }),
      isTaken ? h("span", { class: "soft", text: B.w("opinions.taken") }) : null),
    ...rows, h("div", { class: "line" }, plain("plain", B.w("opinions.take"), take, key), mine ? plain("plain", B.w("opinions.edit"), edit) : null));
}
