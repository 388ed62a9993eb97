// The outline of a long text: where its events lie, and a jump to each.

const LONG = 3000;  // characters from which a text has an outline

const isLong = (B) => !!B.T && B.T.length > LONG;

/** Where each event begins in the text: its trigger, else its first argument; null where nowhere. */
function placesOf(B) {
  const first = new Map();
  for (const mark of B.marks ?? []) if (mark.kind === "trigger" || !first.has(mark.event)) first.set(mark.event, mark);
  return B.doc.events.map((event, i) => ({ event, number: i + 1, at: first.get(event.id)?.a ?? null }));
}

/** Ticks beside the text, one an event, at its place in the whole. */
function paintOutline(B) {
  const show = isLong(B) && !B.done;
  B.el.outline.hidden = !show;
  if (!show) return;
  const places = placesOf(B).filter((p) => p.at !== null);
  const sign = JSON.stringify([places.map((p) => [p.event.id, p.at, p.event.event_type, isLive(p.event)]), B.focus?.event]);
  if (sign === B.outlineSign) return;
  B.outlineSign = sign;
  B.el.outline.replaceChildren(...places.map((p) => button(`tick${B.focus?.event === p.event.id ? " at" : ""}${isLive(p.event) ? "" : " rejected"}`,
    outlineWords(B, p), () => B.setFocus(p.event.id, ""), { tabindex: "-1", style: `--c:var(--e${colourOf(p.number)});top:${(100 * p.at / B.T.text.length).toFixed(2)}%` })));
}

const outlineWords = (B, p) => [`${p.number} ${B.label(B.type(p.event) ?? { name: p.event.event_type })}`, p.event.trigger?.text].filter(Boolean).join(" · ");

/** The events as a list to jump by, in the order of the text. */
function openOutline(B) {
  const places = placesOf(B).sort((x, y) => (x.at ?? Infinity) - (y.at ?? Infinity));
  const items = places.map((p) => {
    const label = outlineWords(B, p);
    return { id: p.event.id, label, more: p.at === null ? "" : B.w("outline.at", { n: Math.round(100 * p.at / Math.max(1, B.T.text.length)) }), search: [label, p.event.event_type, p.event.trigger?.text ?? ""] };
  });
  openList(B, { title: B.w("outline.title"), items, typed: true, onChoose: ({ id }) => B.setFocus(id, "") });
}
