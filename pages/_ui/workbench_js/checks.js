// What is wrong with the suggestion: a short list above the events, and a mark at each place.

const CHECKS = 3;  // shown before the rest is asked for

/** The problems that nobody has dealt with: those of a place go when it is decided. */
function openChecks(B) {
  if (!B.sample?.checks || B.doc.suggestion === null) return [];
  return B.sample.checks.filter((check) => {
    if (check.event === null) return true;
    const event = eventOf(B.doc, check.event);
    const item = event && check.part ? slotOf(event, check.part) : event;
    return item?.decision === "open";
  });
}

function paintChecks(B) {
  const host = B.el.checks, found = openChecks(B);
  const sign = JSON.stringify([B.sample?.key, found, B.allChecks]);
  if (sign === B.checksSign) return;
  B.checksSign = sign;
  const shown = B.allChecks ? found : found.slice(0, CHECKS);
  const rest = found.length - CHECKS;
  const more = rest > 0 ? plain("tool", B.w(B.allChecks ? "check.fewer" : "check.more", { n: rest }), () => {
    B.allChecks = !B.allChecks;
    paintChecks(B);
  }, null, { "aria-expanded": String(!!B.allChecks) }) : null;
  host.replaceChildren(h("ul", {}, ...shown.map((check) => checkRow(B, check))), ...(more ? [more] : []));
  host.hidden = !found.length;
}

function checkRow(B, check) {
  if (check.event === null) return h("li", { dir: "auto", text: check.words });
  const number = B.doc.events.findIndex((e) => e.id === check.event) + 1;
  return h("li", { style: `--c:var(--e${colourOf(number)})` },
    plain("go", check.words, () => B.setFocus(check.event, check.part), null, { dir: "auto" }),
    h("span", { class: "mark", text: String(number), "aria-hidden": "true" }));
}

/** The mark beside a part of an event that has a problem, with its words. */
function checkMark(B, event, part) {
  const mine = openChecks(B).filter((check) => !check.is_rule && check.event === event.id && check.part === part);
  if (!mine.length) return null;
  const what = B.w("check.mark", { what: mine.map((check) => check.words).join("; ") });
  return h("span", { class: "check-mark", role: "img", "aria-label": what, title: what, text: "!" });
}
