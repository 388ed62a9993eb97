// The review document and what may be done to it: pure functions, document in, document out.
//
// The same document as core/review.py. A part of an event is named by a string: "" the event
// itself, "t" its trigger, "a:ID" an argument, "r:ROLE" the empty place of a role.

let made = 0;
const newId = () => `p${Date.now().toString(36)}${(made++).toString(36)}${Math.random().toString(36).slice(2, 6)}`;

const isLive = (item) => item.decision !== "rejected";
const eventOf = (doc, id) => doc.events.find((e) => e.id === id) ?? null;

/** The slot that a part names, or null: the trigger may be missing, a role's place is empty. */
function slotOf(event, part) {
  if (!event || !part) return null;
  if (part === "t") return event.trigger;
  return part.startsWith("a:") ? event.arguments.find((a) => a.id === part.slice(2)) ?? null : null;
}

/** The parts of an event in the order that people step through them. */
function partsOf(event, type) {
  const given = new Set(event.arguments.filter(isLive).map((a) => a.role));
  const missing = (type?.roles ?? []).filter((r) => r.required && !given.has(r.name));
  return ["t", ...event.arguments.map((a) => `a:${a.id}`), ...missing.map((r) => `r:${r.name}`)];
}

/** A slot's places in the text as code points, [] where it is not anchored in the text. */
function spansOf(slot) {
  if (!slot || slot.media || slot.start === null || slot.start === undefined) return [];
  return slot.fragments?.length ? slot.fragments : [[slot.start, slot.end]];
}

const isUnanchored = (slot) => !!slot && slot.start == null && !slot.box && !slot.range;

// ---------------------------------------------------------------- changing one thing

const changeEvent = (doc, id, change) => ({
  ...doc, events: doc.events.map((e) => (e.id === id ? change(e) : e)),
});

function changeSlot(event, part, change) {
  if (part === "t") return { ...event, trigger: change(event.trigger) };
  return { ...event, arguments: event.arguments.map((a) => (`a:${a.id}` === part ? change(a) : a)) };
}

const blank = () => ({
  id: newId(), role: null, text: null, start: null, end: null, fragments: [], media: null, page: null,
  box: null, range: null, keyframes: [], kind: null, meta: {},
  origin: "person", decision: "accepted", reason: null, confidence: null, role_confidence: null, suggested: null,
});

/** How sure the model was of an item: of an argument, the lower of its words' and its role's; null where unknown. */
function sureOf(item) {
  const known = [item.confidence, item.role_confidence].filter((c) => typeof c === "number");
  return known.length ? Math.min(...known) : null;
}

/** What a slot is after an edit: back at its suggestion it is accepted, else edited with a reason. */
function settle(slot) {
  const was = slot.suggested;
  const differs = (key) => JSON.stringify(slot[key] ?? null) !== JSON.stringify(was[key] ?? null);
  const list = (item, key) => JSON.stringify(item[key] ?? []);
  const moved = was && (["start", "end", "media", "page", "box", "range"].some(differs)
    || ["fragments", "keyframes"].some((key) => list(slot, key) !== list(was, key))
    || (isUnanchored(slot) && differs("text")));
  const reason = !was ? null : moved ? "boundary" : differs("role") ? "role" : null;
  return { ...slot, decision: reason ? "edited" : "accepted", reason };
}

/** The slot at new places; a place in a picture or clip gives way to the place in the text. */
function placeSlot(slot, spans, T) {
  const sorted = joinSpans(spans);
  const text = sorted.map(([a, b]) => T.slice(a, b)).join(" ");
  return settle({
    ...(slot ?? blank()), text, start: sorted[0][0], end: sorted[sorted.length - 1][1],
    fragments: sorted.length > 1 ? sorted : [], media: null, page: null, box: null, range: null, keyframes: [],
  });
}

/** The slot at a place in a picture or clip; words that were nowhere, or name a box, stay with it. */
function placeInMedia(slot, place) {
  const keeps = slot && (isUnanchored(slot) || (slot.media && slot.start == null));
  return settle({
    ...(slot ?? blank()), fragments: [], media: place.media, page: place.page ?? null, box: place.box ?? null,
    range: place.range ?? null, keyframes: place.keyframes ?? [], start: place.start ?? null, end: place.end ?? null,
    text: place.text ?? (keeps ? slot.text : null),
  });
}

/** The slot at what was selected: {spans} in the text or {place} in a medium. */
const placePicked = (slot, picked, T) => (picked.spans ? placeSlot(slot, picked.spans, T) : placeInMedia(slot, picked.place));

const PLACE = ["text", "start", "end", "fragments", "media", "page", "box", "range", "keyframes", "kind"];

/** The slot saying what another says, or a copy of that where there is none. */
const takePlace = (slot, wanted) => (slot
  ? settle({ ...slot, ...Object.fromEntries(PLACE.map((key) => [key, wanted[key]])), role: wanted.role, meta: { ...slot.meta, ...wanted.meta } }) : ownSlot(wanted));

/** What makes two slots the same place: pieces of the text, or another place with its boxes, or words found nowhere. */
const placeOf = (slot) => JSON.stringify(spansOf(slot).length || !slot ? spansOf(slot)
  : [slot.media, slot.page, slot.start, slot.end, slot.fragments, slot.box, slot.range, slot.keyframes, isUnanchored(slot) ? slot.text : null]);

/** Whether two slots have something of their places in common: words, a time, a piece of a picture. */
function placesMeet(one, other) {
  if (!one || !other) return false;
  if (one.media !== other.media || one.page !== other.page) return false;
  if (one.range && other.range) return one.range[0] < other.range[1] && other.range[0] < one.range[1];
  if (one.box && other.box) return boxesMeet(one.box, other.box);
  return spansOf(one).some(([from, to]) => spansOf(other).some(([x, y]) => from < y && x < to));
}

/** Spans in order, those that touch made one. */
function joinSpans(spans) {
  const out = [];
  for (const [a, b] of [...spans].sort((x, y) => x[0] - y[0])) {
    const last = out[out.length - 1];
    if (last && a <= last[1]) last[1] = Math.max(last[1], b);
    else out.push([a, b]);
  }
  return out;
}

// ---------------------------------------------------------------- what a person does

/** Put what was selected into a part. Returns [document, the part that now holds it]. */
function putPicked(doc, id, part, picked, T, type) {
  let landed = part;
  const next = changeEvent(doc, id, (event) => {
    if (!part.startsWith("r:")) return changeSlot(event, part, (slot) => placePicked(slot, picked, T));
    const role = part.slice(2);
    const sameRole = event.arguments.filter((a) => a.role === role);
    const single = type?.roles.find((r) => r.name === role)?.multiple === false;
    const wanted = placeOf(placePicked(null, picked, T));
    const old = sameRole.find((a) => placeOf(a) === wanted) ?? (single ? sameRole.find(isLive) : null);
    if (old) {
      landed = `a:${old.id}`;
      return changeSlot(event, landed, (slot) => placePicked(slot, picked, T));
    }
    const slot = placePicked({ ...blank(), role }, picked, T);
    landed = `a:${slot.id}`;
    return { ...event, arguments: [...event.arguments, slot] };
  });
  return [next, landed];
}

/** Take a suggestion as it is: an event with all that is undecided in it, or one slot. */
function acceptPart(doc, id, part) {
  const accept = (item) => !item || item.decision === "accepted" ? item
    : item.decision === "rejected" ? settle(item)
    : item.decision === "edited" ? item : { ...item, decision: "accepted", reason: null };
  const open = (item) => (item?.decision === "open" ? accept(item) : item);
  return changeEvent(doc, id, (event) => {
    if (part) return changeSlot(event, part, accept);
    const typed = event.suggested && event.suggested.event_type !== event.event_type;
    return {
      ...event, decision: typed ? "edited" : "accepted", reason: typed ? "type" : null,
      trigger: open(event.trigger), arguments: event.arguments.map(open),
    };
  });
}

/** Reject: what a model or an earlier review said stays, struck out; a person's own goes. */
function rejectPart(doc, id, part, reason = null) {
  const event = eventOf(doc, id);
  const item = part ? slotOf(event, part) : event;
  if (!item) return doc;
  if (item.origin === "person") {
    if (!part) return { ...doc, events: doc.events.filter((e) => e.id !== id) };
    return changeEvent(doc, id, (e) => part === "t" ? { ...e, trigger: null }
      : { ...e, arguments: e.arguments.filter((a) => a.id !== item.id) });
  }
  const reject = (it) => ({ ...it, decision: "rejected", reason });
  return changeEvent(doc, id, (e) => (part ? changeSlot(e, part, reject) : reject(e)));
}

/** Say why: for a rejected or edited item. */
function giveReason(doc, id, part, reason) {
  const give = (item) => ({ ...item, reason });
  return changeEvent(doc, id, (e) => (part ? changeSlot(e, part, give) : give(e)));
}

function setType(doc, id, name) {
  return changeEvent(doc, id, (event) => {
    const edited = event.suggested && event.suggested.event_type !== name;
    return { ...event, event_type: name, decision: edited ? "edited" : "accepted", reason: edited ? "type" : null };
  });
}

const setRole = (doc, id, part, role) =>
  changeEvent(doc, id, (e) => changeSlot(e, part, (slot) => settle({ ...slot, role })));

/** Say what kind of thing a mention is. */
const setKind = (doc, id, part, kind) =>
  changeEvent(doc, id, (e) => changeSlot(e, part, (slot) => ({ ...slot, kind, decision: slot.decision === "open" ? "accepted" : slot.decision })));

/** A new event of a person's own, at what was selected. Returns [document, its id]. */
function addEvent(doc, name, picked, T) {
  const id = newId();
  const event = {
    id, event_type: name, origin: "person", decision: "accepted", reason: null, confidence: null,
    suggested: null, meta: {}, trigger: picked ? placePicked(null, picked, T) : null, arguments: [],
  };
  return [{ ...doc, events: [...doc.events, event] }, id];
}

/** A slot or event as a person's own, under new ids. */
const asOwn = (item) => ({ ...item, id: newId(), origin: "person", decision: "accepted", reason: null, confidence: null, suggested: null });
const ownSlot = (slot) => slot && { ...asOwn(slot), role_confidence: null };
const ownEvent = (event) => ({
  ...asOwn(event), trigger: event.trigger && isLive(event.trigger) ? ownSlot(event.trigger) : null,
  arguments: event.arguments.filter(isLive).map(ownSlot),
});

function duplicateEvent(doc, id) {
  const copy = ownEvent(eventOf(doc, id));
  return [{ ...doc, events: [...doc.events, copy] }, copy.id];  // at the end: numbers and colours stay
}

/** Give an event's arguments to the one above it, and let it go. Returns [document, the one above]. */
function mergeEvent(doc, id) {
  const live = doc.events.filter(isLive);
  const above = live[live.findIndex((e) => e.id === id) - 1];
  if (!above) return [doc, id];
  const lower = eventOf(doc, id), key = (slot) => `${slot.role} ${placeOf(slot)}`;
  const known = new Set(above.arguments.filter(isLive).map(key));
  const extra = lower.arguments.filter(isLive).filter((a) => !known.has(key(a))).map(ownSlot);
  const lacksTrigger = !(above.trigger && isLive(above.trigger)) && lower.trigger && isLive(lower.trigger);
  const merged = changeEvent(doc, above.id, (e) => ({
    ...e, trigger: lacksTrigger ? takePlace(e.trigger, lower.trigger) : e.trigger, arguments: [...e.arguments, ...extra],
  }));
  return [rejectPart(merged, id, "", "duplicate"), above.id];
}

/** Move an argument into a new event of the same type and trigger. Returns [document, its id]. */
function splitEvent(doc, id, part) {
  const event = eventOf(doc, id);
  const slot = slotOf(event, part);
  const copy = { ...ownEvent({ ...event, arguments: [] }), arguments: part === "t" || !slot ? [] : [ownSlot(slot)] };
  const rest = part === "t" || !slot ? doc : rejectPart(doc, id, part, "other");
  return [{ ...rest, events: [...rest.events, copy] }, copy.id];
}

/** Say that nothing happens here, or take that back. */
function toggleNoEvent(doc) {
  if (doc.no_event) return { ...doc, no_event: false };
  const events = doc.events.filter((e) => e.origin !== "person")
    .map((e) => (isLive(e) ? { ...e, decision: "rejected", reason: "hallucinated" } : e));
  return { ...doc, no_event: true, events };
}

/** The document with "no event" taken back where there is one after all. */
const tidy = (doc) => (doc.no_event && doc.events.some(isLive) ? { ...doc, no_event: false } : doc);

/** Accept everything undecided whose confidence is at least `threshold` (unknown counts as certain). */
function acceptAll(doc, threshold) {
  const sure = (item) => item?.decision === "open" && (sureOf(item) ?? 1) >= threshold;
  const take = (item) => (sure(item) ? { ...item, decision: "accepted", reason: null } : item);
  return {
    ...doc, events: doc.events.map((e) => (!isLive(e) ? e
      : { ...take(e), trigger: take(e.trigger), arguments: e.arguments.map(take) })),
  };
}

/** Add what a suggestion says beyond the document: events of the same type and trigger stay as they are. */
function mergeSuggestion(doc, fresh) {
  const key = (e) => `${e.event_type} ${placeOf(e.trigger)} ${e.trigger ? "" : e.arguments.map((a) => `${a.role} ${placeOf(a)}`)}`;
  const known = new Set(doc.events.map(key));
  const extra = fresh.events.filter((e) => !known.has(key(e)));
  return { ...doc, suggestion: fresh.suggestion, events: [...doc.events, ...extra] };
}

// ---------------------------------------------------------------- what is wrong, what is open

/** Broken rules: [{event, part, kind, role, fatal}], as core.schema.check_events finds them. */
function violationsOf(doc, types) {
  const found = [];
  for (const event of doc.events.filter(isLive)) {
    const type = types.get(event.event_type);
    const add = (part, kind, role, fatal) => found.push({ event: event.id, part, kind, role, fatal });
    if (!type) { add("", "unknown_type", null, true); continue; }
    const counts = new Map();
    for (const slot of event.arguments.filter(isLive)) {
      const role = type.roles.find((r) => r.name === slot.role);
      counts.set(slot.role, (counts.get(slot.role) ?? 0) + 1);
      if (!role) add(`a:${slot.id}`, "unknown_role", slot.role, true);
      else if (slot.kind && role.entity_kinds?.length && !role.entity_kinds.includes(slot.kind)) add(`a:${slot.id}`, "wrong_kind", slot.role, false);
      if (role && !role.multiple && counts.get(slot.role) === 2) add(`a:${slot.id}`, "repeated_role", slot.role, false);
    }
    for (const role of type.roles) {
      if (role.required && !counts.get(role.name)) add(`r:${role.name}`, "missing_role", role.name, false);
    }
  }
  return found;
}

function countOpen(doc) {
  let n = 0;
  for (const e of doc.events.filter(isLive)) {
    n += [e, e.trigger, ...e.arguments].filter((i) => i?.decision === "open").length;
  }
  return n;
}

// ---------------------------------------------------------------- undo

const FLAGS = ["no_event", "suggestion", "override"];

/** What changed between two documents, small enough to keep hundreds: events by id, [before, after]. */
function stepBetween(before, after) {
  const step = { events: {} };
  const old = new Map(before.events.map((e) => [e.id, e])), now = new Map(after.events.map((e) => [e.id, e]));
  for (const id of new Set([...old.keys(), ...now.keys()])) {
    const pair = [old.get(id) ?? null, now.get(id) ?? null];
    if (pair[0] !== pair[1] && JSON.stringify(pair[0]) !== JSON.stringify(pair[1])) step.events[id] = pair;
  }
  const orders = [before, after].map((d) => d.events.map((e) => e.id));
  if (orders[0].join() !== orders[1].join()) step.order = orders;
  for (const flag of FLAGS) {
    if (before[flag] !== after[flag]) (step.flags ??= {})[flag] = [before[flag], after[flag]];
  }
  return step;
}

const sizesOfSteps = new WeakMap();

/** As many of the newest steps as a draft can carry, one at least: events with hundreds of places are
 * large, and each step has an event twice. */
function newestSteps(steps) {
  let first = steps.length, size = 0;
  while (first > 0 && steps.length - first < UNDO) {
    const step = steps[first - 1];
    if (!sizesOfSteps.has(step)) sizesOfSteps.set(step, JSON.stringify(step).length);
    size += sizesOfSteps.get(step);
    if (size > UNDO_SIZE && first < steps.length) break;
    first--;
  }
  return steps.slice(first);
}

const isEmptyStep = (step) => !Object.keys(step.events).length && !step.order && !step.flags;

/** The document on one side of a step: 0 before it, 1 after it. */
function applyStep(doc, step, side) {
  const events = new Map(doc.events.map((e) => [e.id, e]));
  for (const [id, pair] of Object.entries(step.events)) {
    if (pair[side]) events.set(id, pair[side]);
    else events.delete(id);
  }
  const order = step.order ? step.order[side] : doc.events.map((e) => e.id);
  const next = { ...doc, events: order.map((id) => events.get(id)).filter(Boolean) };
  for (const [flag, pair] of Object.entries(step.flags ?? {})) next[flag] = pair[side];
  return next;
}
