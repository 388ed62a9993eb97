// The sheet of keys: those that can be changed, and above them those of the sample's pictures and clips.

const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
// Keys of the panes, which cannot be changed, by what they do; a name of KEYS stands for the key that it has.
const FIXED = [
  { name: "picture", kinds: ["image", "document"], rows: {
    box: ["b"], move: ARROWS, resize: ["Shift", ...ARROWS], fine: ["w"], remove: ["Delete"], words: ["r"], read: ["ArrowLeft", "ArrowRight"],
    zoom: ["+", "-"], fit: ["0"], pan: [" "], page: ["PageUp", "PageDown"], medium: ["[", "]"],
  } },
  { name: "player", kinds: ["video", "audio"], rows: {
    play: [" "], step: ["ArrowLeft", "ArrowRight"], second: ["Shift", "ArrowLeft", "ArrowRight"], ends: ["Home", "End"], in: ["i"], out: ["o"],
    put: ["Enter"], edges: ["start_left", "start_right", "end_left", "end_right"], drop: ["Escape"], loop: ["l"], speed: ["[", "]"], zoom: ["+", "-"], fit: ["0"],
  } },
  { name: "track", kinds: ["video"], rows: { box: ["b"], move: ARROWS, resize: ["Shift", ...ARROWS], remove: ["Delete"] } },
];

/** A section for each kind of medium that the sample has. */
function fixedKeys(B) {
  const name = (key) => (key in KEYS ? B.keyName(key) : key === " " ? B.w("player.space") : showChord(key));
  return FIXED.filter(({ kinds }) => B.sample?.media.some((m) => kinds.includes(m.kind))).map((section) => h("section", { class: "help-fixed", "aria-label": B.w(`help.${section.name}`) },
    h("p", { class: "soft", text: B.w(`help.${section.name}`) }),
    h("div", { class: "help-grid" }, ...Object.entries(section.rows).map(([act, keys]) => h("div", { class: "help-row" },
      h("span", { text: B.w(`help.${section.name}.${act}`) }), h("span", { class: "fixed" }, ...keys.map((key) => h("kbd", { text: name(key) }))))))));
}

/** The sheet of keys; a key is changed by pressing its button and then the new key. */
function openHelp(B) {
  closeWindow(B);
  let asking = null;
  const sheet = h("div", { class: "sheet help", role: "dialog", "aria-modal": "true", tabindex: "-1", "aria-label": B.w("help.title") });
  const paint = () => {
    const rows = Object.keys(KEYS).map((action) => {
      const words = asking === action ? B.w("help.press") : B.keyName(action);
      const name = B.w("help.change", { key: words, action: B.w(`key.${action}`) });
      const set = button(`keycap${asking === action ? " on" : ""}`, name, () => { asking = action; paint(); }, {}, words);
      return h("div", { class: "help-row" }, h("span", { text: B.w(`key.${action}`) }), set);
    });
    const reset = plain("plain", B.w("help.reset"), () => { B.setKeys({}); asking = null; paint(); });
    const done = plain("plain strong", B.w("help.close"), () => closeWindow(B));
    sheet.replaceChildren(h("div", { class: "title", text: B.w("help.title") }), h("p", { class: "soft", text: B.w("help.digits") }),
      ...fixedKeys(B), h("div", { class: "help-grid" }, ...rows), h("div", { class: "help-end" }, h("span", { class: "soft", role: "status", text: B.helpNote ?? "" }), reset, done));
    sheet.focus();
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
  B.el.window.replaceChildren(sheet);
  B.el.window.hidden = false;
  paint();
}
