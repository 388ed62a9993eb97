// Mounts the workbench as Streamlit does, and does what keys do. A part is "", "t" or a number.
async script => {
  const M = await import(URL.createObjectURL(new Blob([script], {type: 'text/javascript'})));
  let parent, stop, B, unit, sent = [];
  const show = (data) => {
    stop = M.default({ data, parentElement: parent, setTriggerValue: (...message) => sent.push(message) });
    B = M.benches.get(parent.firstElementChild);
    B.byWord = unit;
  };
  const partOf = (event, part) => (typeof part === 'number' ? `a:${event.arguments[part].id}` : part);
  const state = () => ({
    doc: B.doc, undo: B.undo.length, redo: B.redo.length, sign: B.el.saved.textContent,
    rev: B.rev, offer: !!B.offer, sent: sent.splice(0),
  });
  Object.assign(window, {
    start(data, byWord, forget) {
      unit = byWord;
      stop?.(); parent?.remove();
      if (forget) localStorage.clear();
      sent = [];
      parent = document.body.appendChild(document.createElement('div'));
      parent.append(Object.assign(document.createElement('div'), { className: 'argus-wb' }));
      show(data);
      return state();
    },
    tell(data) { show(data); return state(); },
    act({ action, event, part, select, choose, threshold, call = [], times = 1 }) {
      B.armed = null;
      B.focus = event == null ? null : { event: B.doc.events[event].id, part: partOf(B.doc.events[event], part) };
      const range = select && M.snapRange(B.T, select[0], select[1], B.byWord);
      if (select && !range) return state();
      B.sel = range && { a: range[0], b: range[1] };
      if (threshold != null) B.el.threshold.value = String(threshold);
      for (let n = 0; n < times; n++) (M.ACTIONS[action] ?? ((of) => of[action](...call)))(B);
      if (choose != null) B.el.window.querySelectorAll('li')[choose]?.click();
      M.closeWindow(B);
      return state();
    },
    opinion(event, chosen) { B.change(M.takeOpinion(B.doc, B.doc.events[event] ?? null, chosen)); return state(); },
    restore(events) { B.change(M.restoreEvents(B.doc, events)); return state(); },
    candidates(words) { return M.findCandidates(B.T, words).map(({ a, b }) => [B.T.point(a), B.T.point(b)]); },
    rules() { return M.violationsOf(B.doc, B.types).map((v) => [B.doc.events.filter(M.isLive).findIndex((e) => e.id === v.event), v.kind, v.role]); },
    submit(why) {
      B.submit();
      const field = B.el.window.querySelector('textarea');
      if (field) { field.value = why; B.el.window.querySelector('.strong').click(); }
      return state();
    },
  });
}
