// Keys: what each one does, under which name it can be changed, and how a press becomes a name.

const KEYS = {
  next_event: "ArrowDown", prev_event: "ArrowUp", next_slot: "n", prev_slot: "Shift+n",
  right: "ArrowRight", left: "ArrowLeft", extend_right: "Shift+ArrowRight", extend_left: "Shift+ArrowLeft",
  put: "Enter", start_left: ",", start_right: ".", end_left: ";", end_right: "'",
  accept: "a", accept_all: "Shift+a", reject: "x", change_type: "e", new: "t", none: "g",
  duplicate: "d", merge: "j", split: "s", fragment: "p", kind: "i", unit: "w",
  flag: "f", comment: "m", skip: "k", history: "h", opinions: "o", outline: "l", examples: "v",
  undo: "z", redo: "Shift+z", submit: "Ctrl+Enter", next_sample: "Ctrl+ArrowDown", prev_sample: "Ctrl+ArrowUp",
  cancel: "Escape", help: "?",
};

// Also known, and not changed: what hands do by habit.
const HABITS = { "Ctrl+z": "undo", "Ctrl+Shift+z": "redo", "Ctrl+y": "redo" };

const ACTIONS = {
  next_event: (B) => B.moveEvent(1), prev_event: (B) => B.moveEvent(-1),
  next_slot: (B) => B.moveSlot(1), prev_slot: (B) => B.moveSlot(-1),
  right: (B) => B.moveCursor(1, false), left: (B) => B.moveCursor(-1, false),
  extend_right: (B) => B.moveCursor(1, true), extend_left: (B) => B.moveCursor(-1, true),
  put: (B) => B.put(),
  start_left: (B) => B.moveEdge("start", -1), start_right: (B) => B.moveEdge("start", 1),
  end_left: (B) => B.moveEdge("end", -1), end_right: (B) => B.moveEdge("end", 1),
  accept: (B) => B.accept(true), accept_all: (B) => B.acceptAll(), reject: (B) => B.reject(),
  change_type: (B) => B.chooseType(), new: (B) => B.newEvent(), none: (B) => B.noEvent(),
  duplicate: (B) => B.duplicate(), merge: (B) => B.merge(), split: (B) => B.split(), fragment: (B) => B.addFragment(),
  kind: (B) => B.chooseKind(), flag: (B) => B.flag(), comment: (B) => B.comment(), skip: (B) => B.skip(),
  history: (B) => openHistory(B), opinions: (B) => openCompare(B), outline: (B) => openOutline(B),
  examples: (B) => B.toggleExamples(),
  unit: (B) => B.toggleUnit(), undo: (B) => B.undoStep(), redo: (B) => B.redoStep(),
  submit: (B) => B.submit(), next_sample: (B) => B.go(1), prev_sample: (B) => B.go(-1),
  cancel: (B) => B.cancel(), help: (B) => openHelp(B),
};

const ANYWHERE = new Set(["submit", "next_sample", "prev_sample"]);  // also while someone types
const SIGNS = { Comma: ",", Period: ".", Semicolon: ";", Quote: "'", Slash: "/" };
const SHOWN = { ArrowDown: "↓", ArrowUp: "↑", ArrowRight: "→", ArrowLeft: "←", Escape: "Esc", Enter: "Enter" };

/** The name of a key press. On a keyboard that writes another script the key's place counts. */
function chordOf(e) {
  let key = e.key;
  if (key.length === 1 && key > "\x7f") {
    const letter = /^(?:Key|Digit)(.)$/.exec(e.code);
    key = letter ? letter[1] : SIGNS[e.code] ?? key;
  }
  const isLetter = /^[a-z]$/i.test(key);
  if (isLetter) key = key.toLowerCase();
  const shift = e.shiftKey && (isLetter || key.length > 1);
  return `${e.ctrlKey || e.metaKey ? "Ctrl+" : ""}${e.altKey ? "Alt+" : ""}${shift ? "Shift+" : ""}${key}`;
}

const showChord = (chord) => chord.split(/\+(?=.)/).map((part) => SHOWN[part] ?? (part.length === 1 ? part.toUpperCase() : part)).join(" ");

const isTyping = (node) => !!node?.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable=true]");

/** One key press inside the workbench; what is used here goes no further. */
function pressKey(B, e) {
  if (e.isComposing || e.keyCode === 229) return;
  const began = performance.now();
  B.endMouse();
  const use = () => { e.preventDefault(); e.stopPropagation(); B.measure(began); };
  if (B.window) {
    const taken = B.window.onKey(e);
    if (taken === true) { use(); return; }
    if (taken === false) { e.stopPropagation(); return; }
  }
  const chord = chordOf(e);
  const action = B.keyMap.get(chord);
  if (!ANYWHERE.has(action) && pressInStage(B, chord, e)) { B.active(); use(); return; }
  if (isTyping(e.target) && !ANYWHERE.has(action)) return;
  if ((chord === "Enter" || chord === " ") && e.target.closest("button, summary, a")) return;
  if (/^[1-9]$/.test(chord) && !B.done) { B.digit(Number(chord)); use(); return; }
  if (!action || (B.done && !ANYWHERE.has(action) && action !== "help")) {
    if (chord.length === 1) e.stopPropagation();  // Streamlit has letters of its own: R, C
    return;
  }
  B.active();
  ACTIONS[action](B);
  use();
}
