// Beam search as a tree that grows downwards: a level for each token that was added, a place for each live beam.
import { el, number, seen, short, svg } from "../../graders/see/page.js";
import { beamSearch } from "./beam_search.js";
import { selectRows } from "./model.js";
import { slider, whenWider } from "./parts.js";

const SIGNS = { best: "★ ", dead: "× ", "": "" };
const [LEVEL, TOP, WIDEST] = [64, 74, 150]; // pixels between two levels, above the first, and between two beams

/**
 * What `beamSearch` reads with: the model is given of each beam only the token it has grown by, after the cache of the
 * beam it grew from. When the window slides, the cache is of no use.
 */
export function beamReader(model, reading) {
  let read = [reading.all];
  let cache = reading.cache;
  let isPrompt = true;
  return async (beams) => {
    if (isPrompt) {
      isPrompt = false;
      return [reading.logits];
    }
    const isGrown = cache !== null && beams[0].length <= model.about.n_ctx;
    const from = beams.map((beam) => read.findIndex((text) => text.every((token, i) => token === beam[i])));
    const given = isGrown ? beams.map((beam) => beam.slice(-1)) : beams.map((beam) => beam.slice(-model.about.n_ctx));
    const found = await model.read(given, { cache: isGrown ? selectRows(cache, from) : null, keepsCache: isGrown });
    [read, cache] = [beams, found.cache];
    return found.logits;
  };
}

// How often something of a probability happens: a share, or, where it is rare, once in how many times
const ROUND = new Intl.NumberFormat("en", { notation: "compact", compactDisplay: "long", maximumSignificantDigits: 2 });
function often(share) {
  if (share >= 0.01) return `${(100 * share).toFixed(1)}% of the time`;
  return share < 1e-12 ? "less than once in a trillion times" : `once in ${ROUND.format(1 / share)} times`;
}

export function beamsPanel(place, { model, tokenizer, about }) {
  let [reading, generation] = [null, 0];
  const redraw = () => reading && search();
  const width = slider("Beams", { min: 2, max: 5, step: 1, value: 3 }, redraw);
  const depth = slider("Tokens", { min: 1, max: 8, step: 1, value: 5 }, redraw);
  const penalty = slider("Length penalty", { min: 0, max: 2, step: 0.1, value: 0, said: (v) => v.toFixed(1) }, redraw);
  const tree = el("div", { class: "scroll tree", tabindex: 0, role: "group", "aria-label": "the tree of beams" });
  const said = el("p", { class: "said", role: "status" });
  const list = el("ol", { class: "texts" });
  let [levels, best] = [[], null];

  async function search() {
    const mine = ++generation;
    place.ariaBusy = "true";
    const prompt = reading.all;
    const set = {
      nBeams: width.value(),
      maxNewTokens: depth.value(),
      eosId: about.eos,
      lengthPenalty: penalty.value(),
    };
    [levels, best] = [[], null];
    said.textContent = "Searching ...";
    list.replaceChildren();
    const grown = (level) => {
      if (mine !== generation) return false;
      levels.push(level);
      drawTree();
      return true;
    };
    try {
      const found = await beamSearch(beamReader(model, reading), prompt, set, grown);
      if (mine !== generation) return;
      best = found[0]?.node ?? null;
      drawTree();
      list.replaceChildren(...found.map((one, i) => textOf(one, i, prompt.length)));
      said.textContent = found.length ? saidOf(found) : "Every way on is out: there is no text.";
    } catch (error) {
      if (mine === generation) said.textContent = `The search stopped: ${error.message}. Load the page again.`;
    }
    if (mine === generation) place.ariaBusy = "false";
  }
  function saidOf([{ logProb }, ...others]) {
    return `The best of ${others.length + 1} texts has log-probability ${number(logProb, 2)}: the model would write it ${often(Math.exp(logProb))}.`;
  }
  function textOf({ tokens, logProb, score }, i, from) {
    const words = tokens.slice(from).map((id) => el("span", { class: "token" }, seen(tokenizer.text(id))));
    const scored = penalty.value() ? `, score ${score.toPrecision(3)}` : ""; // a penalty brings scores together
    return el(
      "li",
      { class: i ? null : "best" },
      ...words,
      ` log-probability ${number(logProb, 2)}${scored}`,
      i ? "" : " ★ best",
    );
  }

  function drawTree() {
    if (!levels.length) return;
    const path = new Set();
    for (let node = best; node; node = node.parent) path.add(node);
    const widest = Math.max(...levels.map((level) => level.length));
    const gap = Math.max(62, Math.min(WIDEST, (tree.clientWidth - 8) / widest));
    const total = gap * widest;
    const root = { x: total / 2, y: 14 };
    const at = new Map();
    const [lines, nodes] = [[], []];
    const parents = new Set(levels.flat().map((node) => node.parent));
    const isDead = (node) => node.state === "live" && !levels.at(-1).includes(node) && !parents.has(node);
    levels.forEach((level, depthOf) => {
      // Children stand in the order of their parents, so that few lines cross
      const sorted = [...level].sort(
        (a, b) => (at.get(a.parent) ?? root).x - (at.get(b.parent) ?? root).x || a.place - b.place,
      );
      sorted.forEach((node, i) => {
        const x = total / 2 + (i - (sorted.length - 1) / 2) * gap;
        const y = TOP + depthOf * LEVEL;
        at.set(node, { x, y });
        const from = at.get(node.parent) ?? root;
        const [down, up] = [from === root ? 10 : 26, y - 12];
        const middle = (from.y + down + up) / 2;
        const kind = path.has(node) ? "best" : isDead(node) ? "dead" : "";
        lines.push(
          svg("path", {
            class: `edge ${kind}`,
            d: `M${from.x} ${from.y + down} C${from.x} ${middle} ${x} ${middle} ${x} ${up}`,
          }),
        );
        nodes.push(drawNode(node, x, y, kind));
      });
    });
    const start = svg("text", { x: root.x, y: root.y, "text-anchor": "middle" }, "your text");
    const height = TOP + levels.length * LEVEL - 20;
    const label = best
      ? `a tree of ${levels.length} levels; the best text is ${seen(tokenizer.decode(tokensOf(best)))}`
      : "a tree that grows";
    tree.replaceChildren(
      svg(
        "svg",
        { width: total, height, viewBox: `0 0 ${total} ${height}`, role: "img", "aria-label": label },
        ...lines,
        start,
        ...nodes,
      ),
    );
  }
  const tokensOf = (node) => (node.parent ? [...tokensOf(node.parent), node.token] : []);
  function drawNode(node, x, y, kind) {
    const name = node.state === "finished" ? "end" : short(tokenizer.text(node.token), 8);
    const step = node.sum - node.parent.sum;
    return svg(
      "g",
      { class: `node ${kind}`, transform: `translate(${x} ${y})` },
      svg("title", {}, `${name}: log-probability ${number(step, 2)}, of the text so far ${number(node.sum, 2)}`),
      svg("text", { class: "token", "text-anchor": "middle" }, name),
      svg("text", { class: "sum", y: 16, "text-anchor": "middle" }, `${SIGNS[kind]}${node.sum.toFixed(2)}`),
    );
  }

  function show(given) {
    reading = given;
    search();
  }
  whenWider(tree, drawTree);
  const settings = el("div", { class: "settings" }, width.box, depth.box, penalty.box);
  place.replaceChildren(settings, tree, said, list);
  return { show };
}
