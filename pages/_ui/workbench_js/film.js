// The filmstrip of a clip, fetched once: for its timeline, and for the cards.

const films = new Map();  // medium's link: a promise of {image, times, tile}

/** The small frames of a clip, fetched once. */
function loadFilm(medium) {
  const { filmstrip, filmstriptimes } = medium;
  if (!films.has(filmstrip)) {
    const picture = new Promise((done, fail) => { const image = new Image(); image.onload = () => done(image); image.onerror = fail; image.src = filmstrip; });
    const told = fetch(filmstriptimes).then((answer) => { if (!answer.ok) throw new Error(answer.statusText); return answer.json(); });
    const film = Promise.all([picture, told]).then(([image, { times, tile }]) => ({ image, times, tile }));
    film.catch(() => films.delete(filmstrip));
    films.set(filmstrip, film);
    if (films.size > 30) films.delete(films.keys().next().value);
  }
  return films.get(filmstrip);
}

/** The frame of the filmstrip that is nearest to a mention, with its box on it. */
function cropOfClip(B, medium, slot) {
  if (!slot.range || !medium.filmstrip) return null;
  const node = h("span", { class: "film-crop" });
  loadFilm(medium).then(({ image, times, tile: [w, t] }) => {
    const at = nearestOf(times, (slot.range[0] + slot.range[1]) / 2), tall = 40, wide = Math.round((w / t) * tall);
    node.style.cssText = `width:${wide}px;height:${tall}px;background-image:url("${image.src}");background-size:${times.length * wide}px ${tall}px;background-position:${-at * wide}px 0`;
    const box = placeAt(slot, Math.max(slot.range[0], Math.min(slot.range[1], times[at])));
    if (box) node.append(h("i", { style: `left:${box[0] * 100}%;top:${box[1] * 100}%;width:${box[2] * 100}%;height:${box[3] * 100}%` }));
  }, () => {});
  return node;
}

const placeInClip = (B, medium, slot) => (slot.range ? clipRange(slot.range) : "");

for (const kind of ["video", "audio"]) {
  PANES[kind] = makePlayer;
  CROPS[kind] = cropOfClip;
  PLACES[kind] = placeInClip;
}
