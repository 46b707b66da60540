// The model goes on, token by token, with its cache and without, and what a token costs each way.
import { el, number, svg } from "../../graders/see/page.js";
import { choice, whenWider } from "./parts.js";
import { nextToken } from "./sampling.js";

const [WITH, WITHOUT] = [0, 1];
const NAMES = ["with cache", "without"];
const AT_ONCE = 200; // tokens after which "Go on" rests

/** `options()` are how to choose; `take(text)` puts what was written into the text box. */
export function writingPanel(place, { model, tokenizer, about }, options, take) {
  let [reading, tokens, next, cache, costs] = [null, [], null, null, [[], []]];
  let [isWriting, how, generation] = [false, WITH, 0];
  const text = el("p", { class: "written", role: "group", "aria-label": "what is written", tabindex: 0 });
  const said = el("p", { class: "said", role: "status" });
  const rates = NAMES.map(() => el("td"));
  const chart = el("div");
  const button = (name, onclick) => el("button", { type: "button", onclick }, name);
  const one = button("Write one token", () => isWriting || start(1));
  const go = button("Go on", () => (isWriting ? stop() : start(AT_ONCE)));
  const again = button("Begin again", () => show(reading));
  const keep = button("Take it into the text", () => take(tokenizer.decode(tokens)));
  const caching = choice("The model reads", NAMES, WITH, (i) => (how = i));

  async function start(most) {
    const mine = ++generation;
    isWriting = true;
    drawButtons();
    try {
      let n = 0;
      while (n < most && (await step(mine))) n++;
      if (n === AT_ONCE) said.textContent = `${AT_ONCE} tokens are written; Go on writes more.`;
    } catch (error) {
      if (mine === generation) said.textContent = `The model stopped: ${error.message}. Load the page again.`;
    }
    if (mine === generation) stop();
  }
  /** Write no more: a token that is being read is left out, so that the text, its logits and its cache fit together. */
  function stop() {
    generation++;
    isWriting = false;
    drawButtons();
  }

  /** Choose a token, then read it, for what comes after it. False when the text has ended, or writing was stopped. */
  async function step(mine) {
    const token = nextToken(next, options(), tokens.length);
    const longer = [...tokens, token];
    if (token === about.eos) {
      tokens = longer;
      drawText();
      said.textContent = "The model has ended its text.";
      return false;
    }
    // When the window slides, every position changes, and nothing held is of use
    const isFull = longer.length > about.n_ctx;
    const held = how === WITH && !isFull ? cache : null;
    const unread = held ? [token] : longer.slice(-about.n_ctx);
    const read = await model.read([unread], { cache: held, keepsCache: how === WITH && !isFull });
    if (mine !== generation) return false;
    [tokens, next, cache] = [longer, read.logits[0], read.cache];
    drawText();
    if (how === WITHOUT || held) costs[how].push([Math.min(tokens.length, about.n_ctx), read.milliseconds]);
    drawCosts();
    const n = `${unread.length} ${unread.length === 1 ? "token" : "tokens"}`;
    said.textContent = isFull
      ? `The text has ${tokens.length} tokens, the model sees the last ${about.n_ctx}. In each step all positions change, so that the cache is of no use: all ${about.n_ctx} are read again.`
      : `Read ${n} in ${number(read.milliseconds, 1)} ms${held || how === WITHOUT ? "" : ", to have them in the cache"}.`;
    return true;
  }

  function drawText() {
    const [begun, all] = [reading.all, tokens].map((ids) => tokenizer.decode(ids));
    let n = begun.length;
    while (!all.startsWith(begun.slice(0, n))) n--; // a new token may have made a character of the text's last bytes
    text.replaceChildren(all.slice(0, n), el("mark", {}, all.slice(n)));
    text.scrollTop = text.scrollHeight;
  }
  function drawButtons() {
    go.textContent = isWriting ? "Stop" : "Go on";
    const isBegun = tokens.length > reading.all.length;
    one.disabled = go.disabled = isBegun && tokens.at(-1) === about.eos; // nothing was read that could follow the end
    again.disabled = keep.disabled = !isBegun;
  }
  function drawCosts() {
    const middle = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
    costs.forEach((side, i) => {
      const cost = side.length ? middle(side.map(([, milliseconds]) => milliseconds)) : null;
      rates[i].textContent = cost === null ? "–" : `${number(1000 / cost, 0)} tokens/s (${number(cost, 1)} ms a token)`;
    });
    chart.replaceChildren(costChart(costs, chart.clientWidth));
  }

  function show(given) {
    const isAnother = given !== reading;
    [reading, tokens, next, cache] = [given, given.all, given.logits, given.cache];
    if (isAnother) costs = [[], []];
    said.textContent = "";
    drawText();
    drawCosts();
    stop();
  }
  const head = el("tr", {}, ...NAMES.map((name, i) => el("th", { scope: "col", class: `how-${i}` }, name)));
  const table = el("table", { class: "rates" }, el("thead", {}, head), el("tbody", {}, el("tr", {}, ...rates)));
  whenWider(chart, drawCosts);
  place.replaceChildren(
    caching,
    el("div", { class: "buttons" }, one, go, again, keep),
    text,
    said,
    table,
    chart,
  );
  return { show, stop };
}

// What each token cost, by the length of the text: a point each, with the cache filled, without it hollow.
function costChart(costs, width) {
  const all = costs.flat();
  const [height, left, bottom] = [170, 60, 26];
  if (!all.length) return el("p", { class: "said" }, "Write some tokens each way to see what one costs.");
  const [from, to] = [Math.min(...all.map(([n]) => n)), Math.max(...all.map(([n]) => n), 1)];
  const top = Math.max(...all.map(([, cost]) => cost));
  const x = (n) => left + 8 + ((width - left - 16) * (n - from)) / Math.max(1, to - from);
  const y = (cost) => 14 + (height - bottom - 14) * (1 - cost / top);
  const points = costs.flatMap((side, i) =>
    side.map(([n, cost]) => svg("circle", { class: `how-${i}`, cx: x(n), cy: y(cost), r: 3.5 })),
  );
  const texts = [
    svg("text", { x: left - 6, y: y(top) + 4, "text-anchor": "end" }, `${number(top, 1)} ms`),
    svg("text", { x: left - 6, y: y(0), "text-anchor": "end" }, "0"),
    svg("text", { x: x(from), y: height - 6 }, `${from} tokens`),
    svg("text", { x: x(to), y: height - 6, "text-anchor": "end" }, to === from ? "" : `${to} tokens`),
  ];
  const axis = svg("path", { class: "axis", d: `M${left} 8 V${height - bottom} H${width}` });
  return svg(
    "svg",
    {
      class: "chart",
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": "milliseconds a token, by the length of the text",
    },
    axis,
    ...points,
    ...texts,
  );
}
