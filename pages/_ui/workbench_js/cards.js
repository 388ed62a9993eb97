// The event cards on the right.

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
function button(name, label, act, more = {}, ...children) {
  return h("button", {
    type: "button", class: name, "aria-label": label, title: label,
    onmousedown: (e) => e.preventDefault(), onclick: (e) => { e.stopPropagation(); act(); }, ...more,
  }, ...children);
}

/** A button with its words on it, and its key. */
const plain = (name, words, act, key, more = {}) =>
  button(name, words, act, { title: null, "aria-label": null, ...more }, words, key ? h("kbd", { text: key }) : null);

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
    const sign = JSON.stringify([i, focus, armed, B.showConfidence, mine]);
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
    plain("type", name, () => { B.setFocus(event.id, ""); B.chooseType(); }, null, { title: B.w("key.change_type") }),
    checkMark(B, event, ""), state(B, event), confidence(B, event), acts(B, event, event.id, ""));
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
  const place = placeOnCard(B, event, part, slot);
  const words = slot.text ?? (slot.range && place ? "" : placeText(B, slot));
  return h("div", {
    class: `row slot ${slot.decision}${loose ? " loose" : ""}${focus === part ? " at" : ""}${armed === part ? " armed" : ""}`,
    "data-part": part, onclick: () => B.setFocus(event.id, part),
    onmouseenter: () => B.setHover({ event: event.id, part }), onmouseleave: () => B.setHover({ event: event.id, part: "" }),
  },
    h("span", { class: "name", text: role }),
    h("span", { class: "words", lang: B.sample.language, dir: "auto", title: words },
      place, h("bdi", { text: words }), slot.fragments?.length ? h("span", { class: "soft", text: ` ${B.w("slot.fragments", { n: slot.fragments.length })}` }) : null),
    slot.kind ? h("span", { class: "kind", text: slot.kind }) : null,
    loose ? plain("find", B.w("slot.find"), () => { B.setFocus(event.id, part); B.findWords(); }) : null,
    checkMark(B, event, part), state(B, slot), confidence(B, slot), acts(B, slot, event.id, part, event));
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
  if (slot.range) return clipRange(slot.range);
  if (slot.box) return B.w("slot.box", { media: mediumOf(B, slot.media)?.name ?? slot.media ?? "" });
  return "";
}

/** The word for a decision, with the reason where there is one. */
function state(B, item) {
  if (!["edited", "rejected"].includes(item.decision)) return null;
  const words = item.reason ? `${B.w(`decision.${item.decision}`)}: ${B.w(`reason.${item.reason}`)}` : B.w(`decision.${item.decision}`);
  return h("span", { class: `state ${item.decision}`, text: words, title: words });
}

function confidence(B, item) {
  const sure = sureOf(item);
  if (!B.showConfidence || sure === null) return null;
  const shown = sure.toFixed(2), both = [item.role_confidence, item.confidence].every((c) => typeof c === "number");
  const said = both ? B.w("confidence.both", { role: item.role_confidence.toFixed(2), words: item.confidence.toFixed(2) })
    : B.w("confidence", { n: shown });
  return h("span", { class: "sure", role: "img", "aria-label": said, title: said },
    h("span", { class: "bar" }, h("span", { style: `width:${Math.round(sure * 100)}%` })),
    h("span", { class: "figure", text: shown, "aria-hidden": "true" }));
}

function acts(B, item, id, part, event = null) {
  if (event && !isLive(event)) return h("span", { class: "acts" });
  const own = item.origin === "person";
  const yes = own ? null : button(`yes${["accepted", "edited"].includes(item.decision) ? " on" : ""}`, B.w("act.accept"),
    () => { B.setFocus(id, part); B.accept(false); });
  const no = button(`no${item.decision === "rejected" ? " on" : ""}`, own ? B.w("act.remove") : B.w("act.reject"),
    () => { B.setFocus(id, part); B.reject(); });
  const more = part === "" || isLive(item) ? button("more", B.w("act.more"), () => { B.setFocus(id, part); openMore(B); }) : null;
  return h("span", { class: "acts" }, more, yes, no);
}

/** Every role that the schema allows, with its number key. */
function roleChips(B, event, type, armed) {
  return h("div", { class: "chips" }, ...type.roles.map((role, i) => {
    const isArmed = armed === `r:${role.name}`;
    return button(`chip-role${isArmed ? " on" : ""}`, B.w("act.role", { role: B.label(role) }), () => B.takeRole(event.id, i), {
      "aria-pressed": String(isArmed), "data-role": role.name, "aria-label": null,
    }, i < 9 ? h("kbd", { text: String(i + 1) }) : null, B.label(role),
    role.required ? h("span", { class: "must", text: "*", title: B.w("slot.required") }) : null);
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
  const add = plain("plain", B.w("act.new_event"), () => B.newEvent(), B.keyName("new"));
  const none = plain(`plain${B.doc.no_event ? " on" : ""}`, B.w("act.no_event"), () => B.noEvent(), B.keyName("none"), {
    "aria-pressed": String(B.doc.no_event),
  });
  nodes.push(h("div", { class: "after" }, add, none));
  return nodes;
}

/** A suggestion that is on its way, that failed, or that came while the person was at work. */
function suggestionNote(B) {
  const s = B.suggesting;
  if (B.offer) {
    const n = B.offer.events.length;
    return h("div", { class: "offer", role: "status" }, h("span", { text: B.w(n === 1 ? "offer.one" : "offer.many", { n }) }),
      plain("plain strong", B.w("offer.take"), () => B.takeOffer()), plain("plain", B.w("offer.leave"), () => B.leaveOffer()));
  }
  if (s.state === "queued" || s.state === "running") {
    B.el.elapsed = h("span", { class: "elapsed", role: "status" });
    B.tickElapsed();
    return h("div", { class: "waiting" }, h("div", { class: "bones", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
      h("div", { class: "line" }, B.el.elapsed, plain("plain", B.w("act.cancel"), () => B.ask("cancel"))));
  }
  if (s.state === "failed" || s.state === "cancelled") {
    const words = s.state === "failed" ? B.w("suggest.failed", { why: s.message }) : B.w("suggest.cancelled");
    return h("div", { class: "offer", role: "status" }, h("span", { text: words }), plain("plain", B.w("act.retry"), () => B.ask("again")));
  }
  return null;
}
