"use strict";
// What several pictures use. Whatever comes from a text goes in by textContent, never as markup.
const SVG = "http://www.w3.org/2000/svg";
const TOLERANCE = 1e-9;

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}
const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// A token as it can be seen: ␣ for a space, ⏎ for the end of a line
const hex = (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, "0")}`; // of a control character
const seen = (token) => token.replaceAll(" ", "␣").replaceAll("\n", "⏎").replace(/[\x00-\x1f\x7f-\x9f]/g, hex) || "∅";
const short = (token, most = 9) => (seen(token).length > most ? seen(token).slice(0, most - 1) + "…" : seen(token));
const tokenBox = (token, style = "") => el("span", { class: "token", style }, seen(token));

function number(value, digits = 3) {
  if (value === null || value === undefined) return "NaN";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size < 1e-3 || size >= 1e5 ? value.toExponential(1).replace("e-", "e−") : String(+value.toFixed(digits));
}
const percent = (share) =>
  share === null ? "NaN" : share > 0 && share < 0.0005 ? "< 0.1%" : `${(100 * share).toFixed(1)}%`;

// From 0 to 1, even to the eye: the browser mixes in OKLab, so light and dark each have a scale of their own
function shade(share) {
  if (share === null) return "transparent";
  const v = Math.min(1, Math.max(0, share));
  const [from, to, part] = v < 0.5 ? [0, 1, 2 * v] : [1, 2, 2 * v - 1];
  return `color-mix(in oklab, var(--scale-${to}) ${(100 * part).toFixed(1)}%, var(--scale-${from}))`;
}
// From -1 to 1, nothing at 0
function signed(share) {
  if (share === null) return "transparent";
  const side = share < 0 ? "below" : "above";
  return `color-mix(in oklab, var(--${side}) ${(100 * Math.min(1, Math.abs(share))).toFixed(1)}%, var(--scale-0))`;
}
// What stands on a shade is white up to the luminance at which black has the same contrast, 4.58: sqrt(1.05 * 0.05) - 0.05
const isDark = "(0.1791 - y) * 99999";
const onShade = (colour) => `color(from ${colour} xyz-d65 clamp(0, ${isDark}, 0.9505) clamp(0, ${isDark}, 1) clamp(0, ${isDark}, 1.0891) / 1)`;
const painted = (colour) => (colour === "transparent" ? "" : `background: ${colour}; color: ${onShade(colour)}`);

function ramp(from, to, colours) {
  const stops = colours.map((colour, i) => `${colour} ${(100 * i) / (colours.length - 1)}%`).join(", ");
  const bar = el("i", { style: `background: linear-gradient(in oklab to right, ${stops})` });
  return el("div", { class: "ramp" }, from, bar, to);
}

function tabs(label, names, picked, pick) {
  const box = el("div", { class: "tabs", role: "group", "aria-label": label });
  const press = (i) => [...box.children].forEach((b, j) => b.setAttribute("aria-pressed", String(i === j)));
  names.forEach((name, i) => {
    box.append(el("button", { type: "button", onclick: () => { press(i); pick(i); } }, name));
  });
  press(picked);
  return box;
}

function section(title, text, ...children) {
  return el("section", {}, el("h2", {}, title), text ? el("p", {}, text) : null, ...children);
}
function wide(part) {
  part.classList.add("wide");
  return part;
}
const key = (...entries) =>
  el("div", { class: "key" }, ...entries.map(([style, text]) => el("span", {}, el("i", { style }), text)));

// Every hook point of every layer: equal, first to differ, differing, or not seen
function hookTable(hooks, isWhole) {
  const MARKS = { equal: "✓", differs: "✗", unseen: "–" };
  const said = el("output", { "aria-live": "polite" }, "Pick a square for the largest difference.");
  const tell = (cell) => {
    const size = cell.largest === undefined ? "" : cell.largest === null ? ": another shape, or NaN" : `: largest difference ${number(cell.largest)}`;
    said.textContent = `${cell.full} ${cell.state === "unseen" ? "was not seen: your code does it in another way" : cell.state}${size}`;
  };
  const head = hooks.rows[0].map((cell) => el("th", { scope: "col" }, cell.name));
  const rows = hooks.rows.map((row, layer) => {
    const cells = row.map((cell) => {
      const first = cell.full === hooks.first;
      const name = `${cell.full}: ${first ? "the first to differ" : cell.state}`;
      const look = () => tell(cell);
      const square = el("button", { type: "button", "aria-label": name, title: name, onclick: look, onfocus: look, onpointerenter: look }, MARKS[cell.state]);
      return el("td", { class: first ? "first" : cell.state }, square);
    });
    return el("tr", {}, el("th", { scope: "row" }, `layer ${layer}`), ...cells);
  });
  const table = el("table", { class: "hooks" }, el("thead", {}, el("tr", {}, el("td"), ...head)), el("tbody", {}, ...rows));
  const lead = "Every point that is compared with TransformerLens, in the order in which it is computed: from left to right, layer by layer. ";
  const inherits = isWhole ? "Only the first difference says anything: what comes after it inherits it." : "Each layer is given what TransformerLens gave it; within a layer, what comes after the first difference inherits it.";
  const begin = el("div", {}, el("h2", {}, "Where it is equal"), el("p", {}, lead + inherits));
  return el("section", { class: "points" }, begin, el("div", {}, el("div", { class: "scroll" }, table), said));
}
