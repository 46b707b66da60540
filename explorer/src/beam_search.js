// The likeliest text as a whole, with the definitions of the `beam_search` exercise.
import { logSoftmax } from "./sampling.js";

/**
 * The `nBeams` best ways to extend a beam by one token, best first: `{sum, parent, token}` of each. Of equal sums the
 * one of the earlier beam, then of the lower token, goes first.
 */
export function extendBeams(sums, logProbs, nBeams) {
  const all = logProbs.flatMap((row, parent) => row.map((log, token) => ({ sum: sums[parent] + log, parent, token })));
  // Infinity - Infinity is NaN, which counts as equal, as it should; a sort is stable
  return all.sort((a, b) => b.sum - a.sum || 0).slice(0, nBeams);
}

/**
 * At most `nBeams` continuations of `prompt`, best score first: `{tokens, logProb, score, node}`.
 *
 * `read(beams)` gives, for a list of texts of the same length, the logits after each (a promise of arrays). A score is
 * logProb / nNew ** lengthPenalty. `grown(level)` is told every level of the tree as it grows: nodes
 * `{token, sum, parent, place, state}`, where `parent` is a node (null for the prompt's), `place` the rank among the
 * extensions, and `state` is "live" or "finished". The search ends as the exercise says; or, with fewer texts, when
 * `grown` returns false.
 */
export async function beamSearch(
  read,
  prompt,
  { nBeams, maxNewTokens, eosId = null, lengthPenalty = 0 },
  grown = () => true,
) {
  const hypothesis = (tokens, node) => {
    const length = Math.max(tokens.length - prompt.length, 1);
    return { tokens, node, logProb: node.sum, score: node.sum / length ** lengthPenalty };
  };
  const best = (all) => [...all].sort((a, b) => b.score - a.score || 0).slice(0, nBeams);
  let beams = [{ tokens: prompt, node: { token: null, sum: 0, parent: null } }];
  let finished = [];
  for (let nNew = 1; nNew <= maxNewTokens; nNew++) {
    const logProbs = (await read(beams.map((beam) => beam.tokens))).map((row) => logSoftmax(row));
    // Each live beam can end in one way only, so twice as many leave enough to live on
    const extended = extendBeams(
      beams.map((beam) => beam.node.sum),
      logProbs,
      2 * nBeams,
    );
    const [live, ended] = [[], []];
    for (const [place, { sum, parent, token }] of extended.entries()) {
      if (sum === -Infinity) break;
      const tokens = [...beams[parent].tokens, token];
      const node = { token, sum, parent: beams[parent].node, place, state: token === eosId ? "finished" : "live" };
      if (token !== eosId) live.push({ tokens, node });
      else if (place < nBeams) ended.push({ tokens, node });
    }
    beams = live.slice(0, nBeams);
    finished = best([...finished, ...ended.map(({ tokens, node }) => hypothesis(tokens, node))]);
    if (!grown([...beams, ...ended].map(({ node }) => node))) break;
    // Stop when nothing lives, or the best sum cannot win even at the length at which it is worth most
    const longest = lengthPenalty > 0 ? maxNewTokens : nNew;
    if (!live.length) break;
    if (finished.length === nBeams && beams[0].node.sum / longest ** lengthPenalty <= finished.at(-1).score) break;
  }
  return best([...finished, ...beams.map(({ tokens, node }) => hypothesis(tokens, node))]);
}
