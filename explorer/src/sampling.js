// From logits to the next token, with the definitions of the `sampling` exercise: temperature, top-k, top-p, a draw.
// A row of logits is a plain array of float64; what is cut is -Infinity.

/** The ids, the largest logit first, the lower id first where logits tie. */
export function order(logits) {
  return [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b);
}

/** The probability of each token. */
export function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** Its logarithm. */
export function logSoftmax(logits) {
  const largest = Math.max(...logits);
  const log = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
  return logits.map((logit) => logit - largest - log);
}

export function applyTemperature(logits, temperature) {
  return logits.map((logit) => logit / temperature);
}

/** Keep the `k` largest; of equal logits the one with the lower id goes first, so that never more than `k` are kept. */
export function topKFilter(logits, k) {
  return keep(logits, order(logits).slice(0, k));
}

/** Keep the fewest likeliest tokens whose probabilities add up to `p` or more: the one that reaches `p` stays. */
export function topPFilter(logits, p) {
  if (p === 1) return [...logits]; // a sum of rounded numbers may reach 1 before the last token has joined
  const probabilities = softmax(logits);
  const ids = order(logits);
  let mass = 0;
  const size = ids.findIndex((id) => (mass += probabilities[id]) >= p) + 1;
  return keep(logits, size ? ids.slice(0, size) : ids);
}

function keep(logits, ids) {
  const kept = new Set(ids);
  return logits.map((logit, id) => (kept.has(id) ? logit : -Infinity));
}

/**
 * What temperature, top-k and top-p, in this order, make of logits. `topK` and `topP` may be null: no filter.
 * Returns the probabilities `before` the filters and `after` them, and which filter cut a token: `cutBy`, an array of
 * "top-k", "top-p" and null. At temperature 0 the likeliest token has it all, and nothing is filtered.
 */
export function distribution(logits, { temperature, topK, topP }) {
  const none = logits.map(() => null);
  if (temperature === 0) {
    const [greedy] = order(logits);
    const shares = logits.map((_, id) => (id === greedy ? 1 : 0));
    return { before: shares, after: shares, cutBy: none };
  }
  const scaled = applyTemperature(logits, temperature);
  const byNumber = topK === null ? scaled : topKFilter(scaled, topK);
  const byMass = topP === null ? byNumber : topPFilter(byNumber, topP);
  const cutBy = scaled.map((_, id) =>
    byNumber[id] === -Infinity ? "top-k" : byMass[id] === -Infinity ? "top-p" : null,
  );
  return { before: softmax(scaled), after: softmax(byMass), cutBy };
}

/** The token that a number from 0 to below 1 draws: the tokens side by side, as wide as they are likely. */
export function draw(probabilities, uniform) {
  let sum = 0;
  const drawn = probabilities.findIndex((share) => (sum += share) > uniform);
  return drawn >= 0 ? drawn : probabilities.findLastIndex((share) => share > 0); // rounding: the sum may stay below 1
}

/** A number from 0 to below 1 that a seed and a step decide: mulberry32 (T. Ettinger, 2017), a state for each step. */
export function uniform(seed, step) {
  let state = (Math.imul(seed, 0x9e3779b1) + Math.imul(step + 1, 0x6d2b79f5)) | 0;
  state = Math.imul(state ^ (state >>> 15), state | 1);
  state ^= state + Math.imul(state ^ (state >>> 7), state | 61);
  return ((state ^ (state >>> 14)) >>> 0) / 2 ** 32;
}

/** The token to write next: the draw of `options.seed` for the place `step` of the text. */
export function nextToken(logits, options, step) {
  return draw(distribution(logits, options).after, uniform(options.seed, step));
}
