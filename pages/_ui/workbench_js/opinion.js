// Taking over what another opinion or version says: pure functions, document in, document out.

/** How far an event is the same as another: 4 all of it, 3 type and trigger, 2 the trigger, 1 type and
 *  some of the trigger. */
function alikeness(event, other) {
  const live = (slot) => (slot && isLive(slot) ? slot : null);
  const [a, b] = [event, other].map((e) => live(e.trigger));
  const same = placeOf(a) === placeOf(b);
  const sameType = event.event_type === other.event_type;
  const given = (e) => JSON.stringify(e.arguments.filter(isLive).map((s) => `${s.role} ${placeOf(s)}`).sort());
  if (same && sameType) return given(event) === given(other) ? 4 : 3;
  if (same && a && !isUnanchored(a)) return 2;
  return sameType && placesMeet(a, b) ? 1 : 0;
}

/** The event of the document that the two sides of a difference are about, or null; never one that is
 *  what the `others` say. */
function eventLike(doc, sides, others = []) {
  const given = sides.filter(Boolean);
  const free = doc.events.filter((e) => !isLive(e) || given.some((s) => alikeness(e, s) === 4) || !others.some((o) => alikeness(e, o) === 4));
  let best = null, score = 0;
  for (const event of [...free.filter(isLive), ...free.filter((e) => !isLive(e))]) {
    const found = Math.max(0, ...given.map((side) => alikeness(event, side)));
    if (found > score) [best, score] = [event, found];
  }
  return best;
}

/** The document with one side of a difference taken: `chosen` is that side's event, null for "none".
 *  What the document has stays where it agrees, so that what became of a suggestion is still known. */
function takeOpinion(doc, target, chosen) {
  if (!chosen) return target ? rejectPart(doc, target.id, "", "other") : doc;
  if (!target) return { ...doc, events: [...doc.events, ownEvent(chosen)] };
  const drop = (slot) => (slot.origin === "person" ? null : { ...slot, decision: "rejected", reason: slot.reason ?? "other" });
  const key = (slot) => `${slot.role} ${placeOf(slot)}`;
  return changeEvent(doc, target.id, (event) => {
    const edited = event.suggested && event.suggested.event_type !== chosen.event_type;
    const wanted = [...chosen.arguments], used = new Map();
    for (const test of [(a, b) => key(a) === key(b), (a, b) => a.role === b.role && isLive(a)]) {
      for (const slot of event.arguments.filter((s) => !used.has(s.id))) {
        const at = wanted.findIndex((w) => test(slot, w));
        if (at >= 0) used.set(slot.id, wanted.splice(at, 1)[0]);
      }
    }
    const trigger = chosen.trigger ? takePlace(event.trigger, chosen.trigger) : event.trigger && drop(event.trigger);
    return {
      ...event, event_type: chosen.event_type, decision: edited ? "edited" : "accepted", reason: edited ? "type" : null, trigger,
      arguments: [...event.arguments.map((s) => (used.has(s.id) ? takePlace(s, used.get(s.id)) : drop(s))).filter(Boolean), ...wanted.map(ownSlot)],
    };
  });
}

/** The document as a version said it; what it came from is replaced as a whole. */
const restoreEvents = (doc, events) => ({ ...doc, no_event: events.length === 0, events });
