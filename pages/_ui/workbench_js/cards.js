// The event cards on the right, and the small windows that open over them.

/** An element: attributes, `on…` handlers, data in `data`, then children (text is set as text). */
function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node[name] = value;
    else if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name === "style") node.style.cssText = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A button that leaves the focus where it was, so that the keys keep working after a click. */
function button(name, label, act, more = {}) {
  return h("button", {
    type: "button", class: name, "aria-label": label, title: label, tabindex: "-1",
    onmousedown: (e) => e.preventDefault(), onclick: (e) => { e.stopPropagation(); act(); }, ...more,
  });
}

/** Paint the cards whose event, focus or rules changed. */
function paintCards(B) {
  const rules = violationsOf(B.doc, B.types);
  B.rules = rules;
  const nodes = [];
  const used = new Set();
  B.doc.events.forEach((event, i) => {
    const mine = rules.filter((r) => r.event === event.id);
    const focus = B.focus?.event === event.id ? B.focus.part : null;
    const armed = B.armed?.event === event.id ? B.armed.part : null;
    const sign = [i, focus, armed, B.showConfidence, JSON.stringify(mine), !!B.sel].join("|");
    let card = B.cards.get(event.id);
    if (!card || card.item !== event || card.sign !== sign) {
      card = { item: event, sign, node: makeCard(B, event, i + 1, mine, focus, armed) };
      B.cards.set(event.id, card);
    }
    used.add(event.id);
    nodes.push(card.node);
  });
  for (const id of B.cards.keys()) if (!used.has(id)) B.cards.delete(id);
  nodes.push(...endOfCards(B));
  const now = B.el.cards.childNodes;
  if (now.length !== nodes.length || nodes.some((n, i) => n !== now[i])) B.el.cards.replaceChildren(...nodes);
}

function makeCard(B, event, number, rules, focus, armed) {
  const type = B.types.get(event.event_type);
  const name = B.label(type ?? { name: event.event_type });
  const card = h("section", {
    class: `card ${event.decision}${focus !== null ? " focused" : ""}`, role: "group", "data-event": event.id,
    "aria-label": B.w("card.name", { n: number, type: name }), style: `--c:var(--e${colourOf(number)})`,
    onmouseenter: () => B.setHover({ event: event.id, part: "" }), onmouseleave: () => B.setHover(null),
  });
  const head = h("div", {
    class: `row head ${event.decision}${focus === "" ? " at" : ""}`, "data-part": "",
    onclick: () => B.setFocus(event.id, ""),
  },
    h("span", { class: "mark", text: String(number), "aria-hidden": "true" }),
    button("type", B.w("key.change_type"), () => { B.setFocus(event.id, ""); B.chooseType(); }, { text: name }),
    state(B, event), confidence(B, event), acts(B, event, event.id, ""));
  head.querySelector(".type").textContent = name;
  card.append(head, slotRow(B, event, "t", event.trigger, focus, armed));
  for (const slot of event.arguments) card.append(slotRow(B, event, `a:${slot.id}`, slot, focus, armed));
  for (const rule of rules.filter((r) => r.kind === "missing_role")) {
    card.append(emptyRow(B, event, `r:${rule.role}`, type, focus, armed));
  }
  if (type && isLive(event)) card.append(roleChips(B, event, type, armed));
  for (const rule of rules) {
    card.append(h("div", { class: `rule ${rule.fatal ? "fatal" : ""}`, role: "note", text: ruleText(B, event, rule) }));
  }
  return card;
}

function slotRow(B, event, part, slot, focus, armed) {
  const type = B.types.get(event.event_type);
  const role = part === "t" ? B.w("slot.trigger") : B.label(type?.roles.find((r) => r.name === slot.role) ?? { name: slot.role });
  if (!slot) return emptyRow(B, event, part, type, focus, armed, role);
  const loose = isUnanchored(slot);
  const words = slot.text ?? placeText(B, slot);
  return h("div", {
    class: `row slot ${slot.decision}${loose ? " loose" : ""}${focus === part ? " at" : ""}${armed === part ? " armed" : ""}`,
    "data-part": part, onclick: () => B.setFocus(event.id, part),
    onmouseenter: () => B.setHover({ event: event.id, part }), onmouseleave: () => B.setHover({ event: event.id, part: "" }),
  },
    h("span", { class: "name", text: role }),
    h("span", { class: "words", lang: B.sample.language, dir: "auto", title: words },
      h("bdi", { text: words }), slot.fragments?.length ? h("span", { class: "soft", text: ` ${B.w("slot.fragments", { n: slot.fragments.length })}` }) : null),
    loose ? button("find", B.w("slot.find"), () => { B.setFocus(event.id, part); B.findWords(); }, { text: "" }) : null,
    state(B, slot, event.id, part), confidence(B, slot), acts(B, slot, event.id, part, event));
}

/** A place that may or must be filled: a trigger, a required role. */
function emptyRow(B, event, part, type, focus, armed, role) {
  const name = role ?? B.label(type?.roles.find((r) => r.name === part.slice(2)) ?? { name: part.slice(2) });
  const isArmed = armed === part;
  return h("div", {
    class: `row slot empty${focus === part ? " at" : ""}${isArmed ? " armed" : ""}`, "data-part": part,
    onclick: () => { B.setFocus(event.id, part); B.arm(event.id, part); },
  },
    h("span", { class: "name", text: name }),
    h("span", { class: "words soft", text: isArmed ? B.w("slot.select") : B.w(part === "t" ? "slot.no_trigger" : "slot.required") }));
}

function placeText(B, slot) {
  if (slot.box) return B.w("slot.box", { media: slot.media ?? "" });
  if (slot.range) return B.w("slot.range", { from: slot.range[0], to: slot.range[1] });
  return "";
}

/** The word for a decision, with the reason where there is one; a click changes the reason. */
function state(B, item, eventId, part) {
  if (!["edited", "rejected"].includes(item.decision)) return null;
  const words = item.reason ? `${B.w(`decision.${item.decision}`)}: ${B.w(`reason.${item.reason}`)}` : B.w(`decision.${item.decision}`);
  return h("span", { class: `state ${item.decision}`, text: words, title: words });
}

function confidence(B, item) {
  if (!B.showConfidence || item.confidence === null || item.confidence === undefined) return null;
  const shown = item.confidence.toFixed(2);
  return h("span", { class: "sure", role: "img", "aria-label": B.w("confidence", { n: shown }), title: B.w("confidence", { n: shown }) },
    h("span", { class: "bar" }, h("span", { style: `width:${Math.round(item.confidence * 100)}%` })),
    h("span", { class: "figure", text: shown, "aria-hidden": "true" }));
}

function acts(B, item, id, part, event = null) {
  if (event && !isLive(event)) return h("span", { class: "acts" });
  const own = item.origin === "person";
  const yes = own ? null : button(`yes${["accepted", "edited"].includes(item.decision) ? " on" : ""}`, B.w("act.accept"),
    () => { B.setFocus(id, part); B.accept(false); });
  const no = button(`no${item.decision === "rejected" ? " on" : ""}`, own ? B.w("act.remove") : B.w("act.reject"),
    () => { B.setFocus(id, part); B.reject(); });
  return h("span", { class: "acts" }, yes, no);
}

/** Every role that the schema allows, with its number key. */
function roleChips(B, event, type, armed) {
  return h("div", { class: "chips" }, ...type.roles.map((role, i) => {
    const part = `r:${role.name}`;
    return button(`chip-role${armed === part ? " on" : ""}`, B.w("act.role", { role: B.label(role) }),
      () => { B.setFocus(event.id, B.focus?.event === event.id ? B.focus.part : ""); B.takeRole(event.id, i); }, {
        "aria-pressed": String(armed === part), "data-role": role.name,
      }, ).appendChild(document.createTextNode("")).parentNode;
  }).map((node, i) => {
    node.append(i < 9 ? h("kbd", { text: String(i + 1) }) : "", B.label(type.roles[i]));
    if (type.roles[i].required) node.append(h("span", { class: "must", text: "*", title: B.w("slot.required") }));
    return node;
  }));
}

function ruleText(B, event, rule) {
  const type = B.types.get(event.event_type);
  const role = rule.role === null ? "" : B.label(type?.roles.find((r) => r.name === rule.role) ?? { name: rule.role });
  return B.w(`rule.${rule.kind}`, { role, type: B.label(type ?? { name: event.event_type }) });
}

/** What stands below the cards: the suggestion's state, a new event, no event. */
function endOfCards(B) {
  const nodes = [];
  const waiting = suggestionNote(B);
  if (waiting) nodes.push(waiting);
  if (!B.doc.events.length && !waiting) {
    nodes.push(h("p", { class: "soft note", text: B.doc.no_event ? B.w("empty.no_event") : B.w(B.doc.suggestion ? "empty.none_suggested" : "empty.nothing") }));
  }
  const add = button("plain", B.w("act.new_event"), () => B.newEvent());
  add.append(B.w("act.new_event"), h("kbd", { text: B.keyName("new") }));
  const none = button(`plain${B.doc.no_event ? " on" : ""}`, B.w("act.no_event"), () => B.noEvent(), { "aria-pressed": String(B.doc.no_event) });
  none.append(B.w("act.no_event"), h("kbd", { text: B.keyName("none") }));
  nodes.push(h("div", { class: "after" }, add, none));
  return nodes;
}

/** A suggestion that is on its way, that failed, or that came while the person was at work. */
function suggestionNote(B) {
  const s = B.suggesting;
  if (B.offer) {
    const take = button("plain strong", B.w("offer.take"), () => B.takeOffer());
    const leave = button("plain", B.w("offer.leave"), () => B.leaveOffer());
    take.append(B.w("offer.take"));
    leave.append(B.w("offer.leave"));
    return h("div", { class: "offer", role: "status" }, h("span", { text: B.w(B.offer.events.length === 1 ? "offer.one" : "offer.many", { n: B.offer.events.length }) }), take, leave);
  }
  if (s.state === "queued" || s.state === "running") {
    const stop = button("plain", B.w("act.cancel"), () => B.line.ask("ask", { act: "cancel", job: s.job, ...B.whereabouts() }));
    stop.append(B.w("act.cancel"));
    const words = h("span", { class: "elapsed", role: "status" });
    B.el.elapsed = words;
    B.tickElapsed();
    return h("div", { class: "waiting" }, h("div", { class: "bones", "aria-hidden": "true" }, h("i"), h("i"), h("i")), h("div", { class: "line" }, words, stop));
  }
  if (s.state === "failed" || s.state === "cancelled") {
    const again = button("plain", B.w("act.retry"), () => B.line.ask("ask", { act: "again", ...B.whereabouts() }));
    again.append(B.w("act.retry"));
    return h("div", { class: "offer", role: "status" }, h("span", { text: s.state === "failed" ? B.w("suggest.failed", { why: s.message }) : B.w("suggest.cancelled") }), again);
  }
  return null;
}

// ---------------------------------------------------------------- small windows

/** Open a window over the cards: a list to choose from, with or without a field to type in. */
function openList(B, { title, items, typed, onChoose, numbered }) {
  closeWindow(B);
  let shown = items, at = 0;
  const list = h("ul", { class: "list", role: "listbox", id: "argus-list", "aria-label": title });
  const field = typed ? h("input", {
    type: "text", class: "field", placeholder: title, "aria-label": title, role: "combobox", "aria-expanded": "true",
    "aria-controls": "argus-list", autocomplete: "off", spellcheck: "false",
  }) : null;
  const paint = () => list.replaceChildren(...shown.map((item, i) => h("li", {
    role: "option", id: `argus-option-${i}`, class: i === at ? "at" : "", "aria-selected": String(i === at),
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
      if (e.key === "Escape") closeWindow(B);
      else if (e.key === "ArrowDown" || e.key === "ArrowUp") move(e.key === "ArrowDown" ? 1 : -1);
      else if (e.key === "Enter") choose(shown[at]);
      else if (numbered && /^[1-9]$/.test(e.key)) choose(shown[Number(e.key) - 1]);
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
  const top = Math.min(box.bottom + 4, host.bottom - size.height - 56);
  sheet.style.top = `${Math.max(8, top - host.top)}px`;
  sheet.style.left = `${Math.max(8, Math.min(box.left, host.right - size.width - 12) - host.left)}px`;
}

function closeWindow(B) {
  if (!B.window) return;
  B.window = null;
  B.el.window.hidden = true;
  B.el.window.replaceChildren();
  B.el.evidence.focus({ preventScroll: true });
}

/** The sheet of keys; a key is changed by pressing its button and then the new key. */
function openHelp(B) {
  closeWindow(B);
  let asking = null;
  const sheet = h("div", { class: "sheet help", role: "dialog", "aria-modal": "true", "aria-label": B.w("help.title") });
  const paint = () => {
    const rows = Object.keys(KEYS).map((action) => {
      const set = button(`keycap${asking === action ? " on" : ""}`, B.w("help.change", { action: B.w(`key.${action}`) }),
        () => { asking = action; paint(); }, { tabindex: "0" });
      set.append(asking === action ? B.w("help.press") : B.keyName(action));
      return h("div", { class: "help-row" }, h("span", { text: B.w(`key.${action}`) }), set);
    });
    const reset = button("plain", B.w("help.reset"), () => { B.setKeys({}); asking = null; paint(); }, { tabindex: "0" });
    reset.append(B.w("help.reset"));
    const done = button("plain strong", B.w("help.close"), () => closeWindow(B), { tabindex: "0" });
    done.append(B.w("help.close"));
    sheet.replaceChildren(h("div", { class: "title", text: B.w("help.title") }), h("p", { class: "soft", text: B.w("help.digits") }),
      h("div", { class: "help-grid" }, ...rows), h("div", { class: "help-end" }, h("span", { class: "soft", role: "status", text: B.helpNote ?? "" }), reset, done));
  };
  B.window = {
    onKey: (e) => {
      if (asking && !["Shift", "Control", "Alt", "Meta"].includes(e.key)) {
        if (e.key !== "Escape") B.helpNote = B.changeKey(asking, chordOf(e));
        asking = null;
        paint();
        return true;
      }
      if (e.key === "Escape" || e.key === "?") { closeWindow(B); return true; }
      return false;
    },
  };
  B.helpNote = "";
  paint();
  B.el.window.replaceChildren(sheet);
  B.el.window.hidden = false;
  sheet.querySelector(".help-end .strong").focus();
}

/** Ask for the reason to submit in spite of broken rules. */
function askOverride(B, rule) {
  closeWindow(B);
  const field = h("textarea", { class: "field", rows: "2", "aria-label": B.w("override.label"), placeholder: B.w("override.label") });
  field.value = B.doc.override ?? "";
  const send = button("plain strong", B.w("override.submit"), () => finish(), { tabindex: "0" });
  send.append(B.w("override.submit"));
  const back = button("plain", B.w("act.back"), () => closeWindow(B), { tabindex: "0" });
  back.append(B.w("act.back"));
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
