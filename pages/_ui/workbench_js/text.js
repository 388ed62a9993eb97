// Text: offsets, the units that a cursor moves by, snapping, and looking for words.
//
// Documents count Unicode code points, the DOM counts UTF-16 units. Both maps are made once a text;
// everything on the screen works in units, everything in the document in points.

const WITHOUT_SPACES = new Set(["zh", "ja", "th", "lo", "km", "my", "bo", "dz"]);

/** A text with its two maps: `unit(point)`, `point(unit)`, `slice(point, point)`. */
function makeText(text, language) {
  const astral = /[\uD800-\uDBFF]/.test(text);
  let units = null, points = null;
  if (astral) {
    units = [];
    points = new Int32Array(text.length + 1);
    for (let u = 0; u < text.length;) {
      const width = text.codePointAt(u) > 0xffff ? 2 : 1;
      points.fill(units.length, u, u + width);
      units.push(u);
      u += width;
    }
    points[text.length] = units.length;
    units.push(text.length);
  }
  const unit = (point) => (astral ? units[Math.max(0, Math.min(point, units.length - 1))] : point);
  const point = (u) => (astral ? points[u] : u);
  const cache = {};
  /** Where the cursor may stand: words, or what a reader takes for one character. */
  const steps = (byWord) => (cache[byWord] ??= cutText(text, language, byWord));
  return {
    text, language, unit, point, steps,
    length: point(text.length),
    slice: (a, b) => text.slice(unit(a), unit(b)),
  };
}

/** The cursor's units as [start, end] in UTF-16; blanks and, between words, signs are stepped over. */
function cutText(text, language, byWord) {
  const granularity = byWord ? "word" : "grapheme";
  const found = [];
  for (const part of segmenter(language, granularity).segment(text)) {
    if (byWord ? part.isWordLike : /\S/.test(part.segment)) {
      found.push([part.index, part.index + part.segment.length]);
    }
  }
  return found;
}

function segmenter(language, granularity) {
  try {
    return new Intl.Segmenter(language, { granularity });
  } catch {
    return new Intl.Segmenter(undefined, { granularity });  // a language the browser does not know
  }
}

/** The first index of `steps` whose `side` (0 start, 1 end) is above `at`; steps.length if none. */
function firstAbove(steps, side, at) {
  let low = 0, high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle][side] > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** [a, b] without blanks at its edges and widened so that it cuts no character a reader sees and,
 *  by word, no word; null if nothing is left. */
function snapRange(T, a, b, byWord) {
  if (a > b) [a, b] = [b, a];
  while (a < b && /\s/.test(T.text[a])) a++;
  while (b > a && /\s/.test(T.text[b - 1])) b--;
  if (a >= b) return null;
  for (const steps of byWord ? [T.steps(false), T.steps(true)] : [T.steps(false)]) {
    const first = steps[firstAbove(steps, 1, a)], last = steps[firstAbove(steps, 1, b - 1)];
    if (first && first[0] < a) a = first[0];
    if (last && last[0] < b) b = Math.max(b, last[1]);
  }
  return [a, b];
}

/** [a, b] with its start or end moved one unit left (-1) or right (1); the same if it cannot. */
function moveEdge(T, [a, b], edge, direction, byWord) {
  const steps = T.steps(byWord);
  if (edge === "start") {
    const next = direction > 0 ? steps[firstAbove(steps, 0, a)] : steps[firstAbove(steps, 0, a - 1) - 1];
    return next && next[0] < b ? [next[0], b] : [a, b];
  }
  const next = direction > 0 ? steps[firstAbove(steps, 1, b)] : steps[firstAbove(steps, 1, b - 1) - 1];
  return next && next[1] > a ? [a, next[1]] : [a, b];
}

// ---------------------------------------------------------------- finding words that were not found

const fold = (s) => s.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[\s\p{P}]+/gu, " ");

/** Places that may be meant by `words`, best first: [{a, b, score}] in units, at most `limit`. */
function findCandidates(T, words, limit = 5) {
  const wanted = fold(words).trim();
  if (!wanted) return [];
  const byWord = /\s/.test(wanted) || !WITHOUT_SPACES.has(T.language);
  const steps = T.steps(byWord);
  const size = Math.max(1, cutText(words, T.language, byWord).length);
  const grams = bigrams(wanted);
  const scored = [];
  for (let i = 0; i < steps.length; i++) {
    for (let n = Math.max(1, size - 1); n <= size + 1 && i + n <= steps.length; n++) {
      const [a, b] = [steps[i][0], steps[i + n - 1][1]];
      const score = likeness(wanted, grams, fold(T.text.slice(a, b)).trim());
      if (score >= 0.35) scored.push({ a, b, score });
    }
  }
  scored.sort((x, y) => y.score - x.score || x.a - y.a);
  const kept = [];
  for (const one of scored) {
    if (kept.length === limit) break;
    if (!kept.some((k) => one.a < k.b && k.a < one.b)) kept.push(one);
  }
  return kept;
}

function bigrams(s) {
  const found = new Map();
  for (let i = 0; i + 1 < s.length; i++) {
    const gram = s.slice(i, i + 2);
    found.set(gram, (found.get(gram) ?? 0) + 1);
  }
  return found;
}

function likeness(wanted, grams, other) {
  if (other === wanted) return 1;
  if (wanted.length < 2 || other.length < 2) return 0;
  let shared = 0;
  for (const [gram, count] of bigrams(other)) shared += Math.min(count, grams.get(gram) ?? 0);
  return (2 * shared) / (wanted.length + other.length - 2);
}
