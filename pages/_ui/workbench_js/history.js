// The versions of a sample in a drawer at the side: what differs between two, and the way back.

function openHistory(B) {
  closeWindow(B);
  let chosen = null, against = null;
  const sheet = h("div", { class: "sheet drawer", role: "dialog", tabindex: "-1", "aria-label": B.w("history.title") });
  const data = () => sideOf(B).history;
  const ask = () => B.askSide("history", { one: against, other: chosen });
  const choose = (id) => { chosen = id; against = null; ask(); };
  const move = (by) => {
    const all = data()?.versions ?? [];
    const at = all.findIndex((v) => v.id === (chosen ?? data()?.new));
    const next = all[at + by];
    if (next) choose(next.id);
  };
  const restore = () => {
    const side = data();
    if (!side?.restore || (chosen !== null && side.new !== chosen)) return;
    const { number } = side.versions.find((v) => v.id === side.new);
    closeWindow(B);
    B.change(restoreEvents(B.doc, side.restore), side.restore[0] ? { event: side.restore[0].id, part: "" } : null);
    if (!side.restore.length) B.focus = null;
    B.say(B.w("history.restored", { n: number }));
    B.paint();
  };
  const paint = () => {
    const side = data();
    const head = h("div", { class: "drawer-head" }, h("div", { class: "title", text: B.w("history.title") }),
      plain("plain", B.w("side.close"), () => closeWindow(B), "Esc"));
    if (!side) { sheet.replaceChildren(head, h("p", { class: "soft", role: "status", text: B.w("side.loading") })); return; }
    if (!side.versions.length) { sheet.replaceChildren(head, h("p", { class: "soft", text: B.w("history.none") })); return; }
    const at = chosen ?? side.new;
    const list = h("ul", { class: "list versions", role: "listbox", "aria-label": B.w("history.title") }, ...side.versions.map((v) => h("li", {
      role: "option", class: v.id === at ? "at" : "", "aria-selected": String(v.id === at), "data-version": String(v.id), onclick: () => choose(v.id),
    }, h("strong", { text: B.w("history.version", { n: v.number }) }), h("span", { text: v.who }), h("span", { class: "soft", text: `${v.when} · ${B.w("history.events", v)}` }))));
    const pick = h("select", { "aria-label": B.w("history.against"), onchange: () => { against = Number(pick.value); chosen = at; ask(); sheet.focus(); } },
      ...side.versions.map((v) => h("option", { value: String(v.id), text: B.w("history.version", { n: v.number }) })));
    pick.value = String(against ?? side.old);
    const waits = side.new !== at;
    sheet.replaceChildren(head, list, h("label", { class: "against" }, B.w("history.against"), pick), ...changeRows(B, waits ? null : side.entries),
      side.problem && !waits ? h("p", { class: "rule", text: side.problem }) : "",
      h("div", { class: "help-end" }, h("span", { class: "soft", text: B.w("history.keys") }), plain("plain strong", B.w("history.restore"), restore, "Enter")));
  };
  B.window = {
    onSide: (part) => { if (part === "history") paint(); },
    onKey: (e) => {
      if (e.key === "Escape") closeWindow(B);
      else if (e.target.tagName === "SELECT") return false;
      else if (e.key === "ArrowDown" || e.key === "ArrowUp") move(e.key === "ArrowDown" ? 1 : -1);
      else if (e.key === "Enter" && e.target.tagName !== "BUTTON") restore();
      else return false;
      return true;
    },
  };
  paint();
  B.el.window.replaceChildren(sheet);
  B.el.window.hidden = false;
  sheet.focus();
  ask();
}

/** A typed difference, a line a correction, under the event that it is about. */
function changeRows(B, entries) {
  if (!entries) return [h("p", { class: "soft", role: "status", text: B.w("side.loading") })];
  if (!entries.length) return [h("p", { class: "soft", text: B.w("history.same") })];
  return entries.map((entry) => {
    const event = { event_type: entry.event_type };
    const name = (value) => (entry.kind === "type_changed" ? B.label(B.types.get(value) ?? { name: value })
      : entry.kind === "role_changed" ? roleName(B, event, value) : (value && slotInWords(B, value)) || "–");
    const words = B.w(`change.${entry.kind}`, { from: name(entry.from), to: name(entry.to), role: entry.role ? roleName(B, event, entry.role) : "" });
    const about = [B.label(B.type(event) ?? { name: entry.event_type }), entry.trigger_words].filter(Boolean).join(" “") + (entry.trigger_words ? "”" : "");
    return h("div", { class: `change ${entry.kind}` }, h("span", { class: "soft", text: about }), h("span", { dir: "auto", text: words }));
  });
}
