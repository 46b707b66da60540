// What comes next: the logits of the likeliest tokens, their probabilities as temperature, top-k and top-p leave them, and the one that a seed draws.
import { el, percent, seen } from "../../graders/see/page.js";
import { quoted, slider } from "./parts.js";
import { distribution, draw, order, uniform } from "./sampling.js";

const SHOWN = 12; // tokens with a bar of their own
const MOST = 50; // of top-k's slider; behind it, no filter
const LAST_SEED = 999999;

/** `options()` are the settings: {temperature, topK, topP, seed}. */
export function nextTokenPanel(place, { tokenizer, about }) {
  let reading = null;
  const update = () => reading && drawBars();
  const most = Math.min(MOST, about.d_vocab - 1);
  const temperature = slider(
    "Temperature",
    { min: 0, max: 2, step: 0.05, value: 1, said: (v) => (v ? v.toFixed(2) : "0: greedy") },
    update,
  );
  const topK = slider(
    "Top-k",
    { min: 1, max: most + 1, step: 1, value: most + 1, said: (v) => (v > most ? "all" : String(v)) },
    update,
  );
  const topP = slider(
    "Top-p",
    { min: 0, max: 1, step: 0.01, value: 1, said: (v) => (v === 1 ? "all" : v.toFixed(2)) },
    update,
  );
  const correct = () => (seed.value = options().seed);
  const seed = el("input", {
    type: "number",
    min: 0,
    max: LAST_SEED,
    step: 1,
    value: 1,
    oninput: () => {
      if (seed.value !== "") correct(); // an empty field may be about to be filled
      update();
    },
    onchange: correct,
  });
  const another = el(
    "button",
    {
      type: "button",
      onclick: () => {
        seed.value = (options().seed + 1) % (LAST_SEED + 1);
        update();
      },
    },
    "Draw again",
  );
  const said = el("output", { class: "said", "aria-live": "polite" });
  const bars = el("ol", { class: "bars" });
  const axis = el("span");
  const ends = el("div", { class: "ends" }, el("span", {}, "0"), axis);
  const scale = el("div", { class: "scale", "aria-hidden": "true" }, el("span", { class: "logit" }, "logit"), ends);
  const rest = el("p", { class: "said rest" });

  function options() {
    const [k, p] = [topK.value(), topP.value()];
    const entered = Number.isFinite(seed.valueAsNumber) ? Math.abs(Math.trunc(seed.valueAsNumber)) : 0;
    const drawsBy = Math.min(entered, LAST_SEED);
    return { temperature: temperature.value(), topK: k > most ? null : k, topP: p === 1 ? null : p, seed: drawsBy };
  }

  const rows = new Map(); // kept from one drawing to the next, so that bars move
  function drawBars() {
    const set = options();
    const { before, after, cutBy } = distribution(reading.logits, set);
    const drawn = draw(after, uniform(set.seed, reading.all.length));
    const likeliest = order(reading.logits).slice(0, SHOWN);
    const ids = likeliest.includes(drawn) ? likeliest : [...likeliest, drawn];
    const top = [0.1, 0.25, 0.5, 1].find(
      (ceiling) => Math.max(...ids.map((id) => Math.max(before[id], after[id]))) <= ceiling,
    );
    axis.textContent = `${100 * top}%`;
    for (const [id] of rows) if (!ids.includes(id)) rows.delete(id);
    for (const id of ids) if (!rows.has(id)) rows.set(id, makeRow(id));
    for (const id of ids) rows.get(id).set(reading.logits[id], before[id], after[id], cutBy[id], top, id === drawn);
    bars.replaceChildren(...ids.map((id) => rows.get(id).box));
    const kept = cutBy.filter((cut) => !cut).length;
    const isGreedy = set.temperature === 0;
    said.replaceChildren(
      isGreedy ? "The likeliest is written, whatever the seed: " : `Seed ${set.seed} draws `,
      quoted(tokenizer.text(drawn)),
      ".",
    );
    const [others, few, all] = [cutBy.length - ids.length, kept, cutBy.length].map((n) => n.toLocaleString("en"));
    const share = after.reduce((sum, part, id) => (ids.includes(id) ? sum : sum + part), 0);
    const cut = isGreedy
      ? ""
      : kept === cutBy.length
        ? " Nothing is cut."
        : ` ${few} of ${all} tokens ${kept === 1 ? "is" : "are"} kept.`;
    rest.textContent = `The ${others} others together: ${percent(share)}.${cut}`;
  }
  function makeRow(id) {
    const bar = el("i");
    const score = el("span", { class: "logit" });
    const share = el("span", { class: "share" });
    const mark = el("span", { class: "mark" });
    const box = el(
      "li",
      {},
      el("span", { class: "token" }, seen(tokenizer.text(id))),
      score,
      el("span", { class: "track" }, bar),
      share,
      mark,
    );
    function set(logit, before, after, cut, top, isDrawn) {
      score.textContent = logit.toFixed(2);
      bar.style.width = `${(100 * (cut ? before : after)) / top}%`;
      box.classList.toggle("cut", Boolean(cut));
      box.classList.toggle("drawn", isDrawn);
      share.textContent = percent(cut ? before : after);
      mark.replaceChildren(...(cut ? [el("span", {}, "cut by "), cut] : isDrawn ? ["◀ drawn"] : []));
    }
    return { box, set };
  }

  function show(next) {
    reading = next;
    drawBars();
  }
  const settings = el(
    "div",
    { class: "settings" },
    temperature.box,
    topK.box,
    topP.box,
    el("div", { class: "seed" }, el("label", {}, el("span", {}, "Seed "), seed), another),
  );
  place.replaceChildren(settings, said, scale, bars, rest);
  return { show, options };
}
