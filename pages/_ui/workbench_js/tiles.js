// What is fetched for what is on the screen: links of pages, words, and the tiles of a large picture.

const TILE = 512;
const KEPT_PARTS = 2000;

/** The answer to a question beside the sample, if it is here; else it is asked for, thrice at most. */
function keptOf(B, act, about) {
  const key = JSON.stringify([B.sample.key, act, about]);
  const found = B.kept.get(key);
  if (found) return found;
  const isAsked = B.line.queue.some((m) => m.kind === "side" && m.value.act === act && m.value.media === about.media && m.value.page === about.page);
  const tries = B.tries.get(key) ?? 0;
  if (isAsked || tries >= 3) return null;
  if (B.data?.open?.key !== B.sample.key || B.line.queue.length) { askAgain(B); return null; }  // first what must be stored
  B.tries.set(key, tries + 1);
  B.askSide(act, about);
  return null;
}

function askAgain(B) {
  clearTimeout(B.askTimer);
  B.askTimer = setTimeout(() => { if (B.sample) paintStage(B); }, 300);
}

/** Keep what the server said of a page, of its words or tiles. */
function keepParts(B, side) {
  for (const act of ["page", "words"]) {
    const said = side[act];
    if (!said) continue;
    const key = JSON.stringify([side.sample, act, { media: said.media, page: said.page }]);
    const isNew = !B.kept.has(key);
    B.kept.set(key, said);
    if (act === "page" && isNew) { B.cards.clear(); B.window?.onSide?.("page"); }  // a crop of that page may wait for it
  }
  for (const [level, column, row, link] of side.tiles?.links ?? []) B.kept.set(tileKey(side.sample, side.tiles.media, level, column, row), link);
  while (B.kept.size > KEPT_PARTS) B.kept.delete(B.kept.keys().next().value);
}

const tileKey = (...parts) => parts.join("/");

/** The levels of a large picture, the smallest first, as core/media/tiles.py cuts them. */
function levelsOf(width, height) {
  const steps = Math.max(0, Math.ceil(Math.log2(Math.max(width, height) / TILE)));
  return Array.from({ length: steps + 1 }, (_, n) => {
    const by = 2 ** (steps - n), wide = Math.ceil(width / by), high = Math.ceil(height / by);
    return { n, width: wide, height: high, columns: Math.ceil(wide / TILE), rows: Math.ceil(high / TILE) };
  });
}

/** The tiles that the view shows at this zoom, where the picture in one piece has too few pixels. */
function paintTiles(P) {
  const { B, medium, view } = P;
  const wanted = P.across * window.devicePixelRatio;
  if (!medium.tiled || P.page || !P.natural || wanted <= P.natural * 1.05) { if (P.tileLayer.firstChild) P.tileLayer.replaceChildren(); return; }
  const levels = levelsOf(P.size.width, P.size.height);
  const level = levels.find((l) => l.width >= wanted) ?? levels.at(-1);
  const [sx, sy] = [P.across / level.width, P.down / level.height];
  const first = (at, s) => Math.max(0, Math.floor(-at / (TILE * s)));
  const last = (at, room, s, count) => Math.min(count - 1, Math.floor((room - at) / (TILE * s)));
  const missing = [], nodes = [];
  for (let row = first(P.y, sy); row <= last(P.y, view.clientHeight, sy, level.rows); row++) {
    for (let column = first(P.x, sx); column <= last(P.x, view.clientWidth, sx, level.columns); column++) {
      const link = B.kept.get(tileKey(B.sample.key, P.id, level.n, column, row));
      if (!link) { missing.push([level.n, column, row]); continue; }
      nodes.push(tileNode(P, level, column, row, link, sx, sy));
    }
  }
  P.tileLayer.replaceChildren(...nodes);
  clearTimeout(P.tileTimer);
  if (missing.length) P.tileTimer = setTimeout(() => askTiles(P, missing), 150);
}

function tileNode(P, level, column, row, link, sx, sy) {
  P.tileNodes ??= new Map();
  let node = P.tileNodes.get(link);
  if (!node) P.tileNodes.set(link, node = h("img", { src: link, alt: "", draggable: "false" }));
  const [l, t] = [Math.round(column * TILE * sx), Math.round(row * TILE * sy)];
  const [r, b] = [Math.round(Math.min((column + 1) * TILE, level.width) * sx), Math.round(Math.min((row + 1) * TILE, level.height) * sy)];
  node.style.cssText = `left:${l}px;top:${t}px;width:${r - l}px;height:${b - t}px`;
  return node;
}

function askTiles(P, missing) {
  const { B } = P;
  if (B.pane !== P) return;
  if (B.line.queue.length) { P.tileTimer = setTimeout(() => askTiles(P, missing), 150); return; }
  P.tileTries = (P.tileTries ?? 0) + 1;
  if (P.tileTries < 400) B.askSide("tiles", { media: P.id, tiles: missing.slice(0, 60) });
}
