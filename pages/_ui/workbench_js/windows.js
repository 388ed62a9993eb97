// The small windows that open over the cards: lists to choose from, a reason asked.

/** Open a window over the cards: a list to choose from, with or without a field to type in.
 *  A quick list takes a digit; any other key closes it and does what it does anyway. */
function openList(B, { title, items, typed, numbered, quick, onChoose }) {
  closeWindow(B);
  let shown = items, at = 0;
  const list = h("ul", { class: "list", role: "listbox", id: "argus-list", "aria-label": title });
  const field = typed ? h("input", {
    type: "text", class: "field", placeholder: title, "aria-label": title, role: "combobox", "aria-expanded": "true",
    "aria-controls": "argus-list", autocomplete: "off", spellcheck: "false",
  }) : null;
  const paint = () => list.replaceChildren(...shown.map((item, i) => h("li", {
    role: "option", id: `argus-option-${i}`, class: i === at && !quick ? "at" : "", "aria-selected": String(i === at),
    onmousedown: (e) => e.preventDefault(), onclick: () => choose(item),
  }, numbered && i < 9 ? h("kbd", { text: String(i + 1) }) : null, h("span", { text: item.label }), item.more ? h("span", { class: "soft", text: item.more }) : null)));
  const choose = (item) => { if (item) { closeWindow(B); onChoose(item); } };
  const move = (by) => {
    at = (at + by + shown.length) % Math.max(1, shown.length);
    paint();
    field?.setAttribute("aria-activedescendant", `argus-option-${at}`);
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  if (field) field.oninput = () => { shown = matching(items, field.value); at = 0; paint(); };
  B.window = {
    onKey: (e) => {
      const digit = numbered && /^[1-9]$/.test(e.key) ? Number(e.key) : 0;
      if (e.key === "Escape") closeWindow(B);
      else if (digit) choose(shown[digit - 1]);
      else if (e.ctrlKey || e.metaKey || e.altKey || quick) { closeWindow(B); return "pass"; }
      else if (e.key === "ArrowDown" || e.key === "ArrowUp") move(e.key === "ArrowDown" ? 1 : -1);
      else if (e.key === "Enter") choose(shown[at]);
      else if (typed) return false;
      else { closeWindow(B); return "pass"; }
      return true;
    },
  };
  paint();
  B.el.window.replaceChildren(h("div", { class: "sheet small", role: "dialog", "aria-label": title }, field ?? h("div", { class: "title", text: title }), list));
  B.el.window.hidden = false;
  placeWindow(B);
  (field ?? B.el.evidence).focus({ preventScroll: true });
}

/** What else can be done with what is focused: for those who use the mouse. */
function openMore(B) {
  const acts = B.focus.part ? ["change_type", "split", "fragment", "kind", "put"] : ["change_type", "duplicate", "merge"];
  const items = acts.map((name) => ({ name, label: B.w(`key.${name}`), more: B.keyName(name), search: [] }));
  openList(B, { title: B.w("act.more"), items, onChoose: ({ name }) => ACTIONS[name](B) });
}

/** Items whose words begin with what was typed come first, then those that contain it. */
function matching(items, typed) {
  const wanted = fold(typed).trim();
  if (!wanted) return items;
  const rank = (item) => Math.min(...item.search.map((s) => {
    const words = fold(s);
    if (words.startsWith(wanted)) return 0;
    if (words.split(" ").some((w) => w.startsWith(wanted))) return 1;
    const initials = words.split(" ").map((w) => w[0]).join("");
    if (initials.startsWith(wanted)) return 2;
    return words.includes(wanted) ? 3 : 9;
  }));
  return items.map((item) => [rank(item), item]).filter(([r]) => r < 9).sort((x, y) => x[0] - y[0]).map(([, item]) => item);
}

/** Put the window beside the focused row, inside the workbench. */
function placeWindow(B) {
  const host = B.root.getBoundingClientRect(), sheet = B.el.window.firstElementChild;
  const row = B.el.cards.querySelector(".row.at") ?? B.el.cards.querySelector(".after") ?? B.el.cards;
  const box = row.getBoundingClientRect();
  const size = sheet.getBoundingClientRect();
  const top = Math.min(box.bottom + 4, Math.min(host.bottom, window.innerHeight) - size.height - 56);
  sheet.style.top = `${Math.max(8, top - host.top)}px`;
  sheet.style.left = `${Math.max(8, Math.min(box.left, host.right - size.width - 12) - host.left)}px`;
}

function closeWindow(B) {
  if (!B.window) return;
  B.window = null;
  B.el.window.hidden = true;
  B.el.window.replaceChildren();
  focusHome(B);
}

/** Ask for the reason to submit in spite of broken rules. */
function askOverride(B, rule) {
  closeWindow(B);
  const field = h("textarea", { class: "field", rows: "2", "aria-label": B.w("override.label"), placeholder: B.w("override.label") });
  field.value = B.doc.override ?? "";
  const send = plain("plain strong", B.w("override.submit"), () => finish());
  const back = plain("plain", B.w("act.back"), () => closeWindow(B));
  const finish = () => {
    const reason = field.value.trim();
    if (!reason) { field.focus(); return; }
    closeWindow(B);
    B.change({ ...B.doc, override: reason });
    B.submit();
  };
  B.window = {
    onKey: (e) => {
      if (e.key === "Escape") closeWindow(B);
      else if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) finish();
      else return false;
      return true;
    },
  };
  B.el.window.replaceChildren(h("div", { class: "sheet small override", role: "dialog", "aria-label": B.w("override.title") },
    h("div", { class: "title", text: rule }), field, h("div", { class: "help-end" }, back, send)));
  B.el.window.hidden = false;
  placeWindow(B);
  field.focus();
}
