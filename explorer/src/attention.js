// Every head's attention pattern: those of a layer small, one of them large, and the text as one query sees it.
import { el, number, painted, ramp, seen, shade, svg } from "../../graders/see/page.js";
import { choice, quoted, valueGrid } from "./parts.js";

export function attentionPanel(place, { about }) {
  let reading = null;
  let [layer, head] = [0, 0];
  const heads = el("div", { class: "heads", role: "group", "aria-label": "heads of the layer" });
  const title = el("h3");
  const said = el("output", { class: "said" });
  const strip = el("p", { class: "strip" });
  const grid = valueGrid("attention pattern, a row for each query and a column for each key", tell);
  const layers = choice("Layer", [...Array(about.n_layers).keys()].map(String), 0, (i) => {
    layer = i;
    drawHeads();
    drawHead();
  });

  const pattern = (l = layer) => reading.hooks[`blocks.${l}.attn.hook_pattern`].data;
  /** The weight that a query gives to a key, by their places in what is shown. */
  function weight(query, key, h = head, values = pattern()) {
    const { length, first } = reading;
    return values[(h * length + first + query) * length + first + key];
  }

  function drawHeads() {
    const n = reading.names.length;
    heads.replaceChildren(
      ...[...Array(about.n_heads).keys()].map((h) => {
        const squares = [];
        for (let query = 0; query < n; query++) {
          for (let key = 0; key <= query; key++) {
            const share = weight(query, key, h);
            if (share > 0.02)
              squares.push(
                svg("rect", { x: key, y: query, width: 1.02, height: 1.02, style: `fill: ${shade(share)}` }),
              );
          }
        }
        const small = svg(
          "svg",
          { viewBox: `0 0 ${n} ${n}`, "aria-hidden": "true", "shape-rendering": "crispEdges" },
          ...squares,
        );
        return el(
          "button",
          { type: "button", "aria-pressed": String(h === head), onclick: () => pickHead(h) },
          small,
          `head ${h}`,
        );
      }),
    );
  }
  function pickHead(h) {
    head = h;
    [...heads.children].forEach((button, i) => button.setAttribute("aria-pressed", String(i === h)));
    drawHead();
  }
  function drawHead() {
    title.textContent = `Layer ${layer}, head ${head}`;
    const values = pattern();
    const value = (query, key) => (key <= query ? weight(query, key, head, values) : null);
    grid.draw({ rows: reading.names, columns: reading.names, value, paint: shade });
  }
  function tell(query, key) {
    const { names, first } = reading;
    said.replaceChildren(
      "Query ",
      quoted(names[query]),
      ` at ${first + query} gives `,
      el("b", {}, number(weight(query, key), 2)),
      " of its attention to ",
      quoted(names[key]),
      ` at ${first + key}.`,
    );
    strip.replaceChildren(
      ...names.map((name, k) => {
        const kind = k === query ? "token asks" : k > query ? "token later" : "token";
        return el("span", { class: kind, style: k > query ? "" : painted(shade(weight(query, k))) }, seen(name));
      }),
    );
  }
  /** The head that is most decided about whom to listen to, the first token left out: many heads rest there. */
  function mostDecided() {
    const n = reading.names.length;
    let best = [-1, 0, 0];
    for (let l = 0; l < about.n_layers; l++) {
      for (let h = 0; h < about.n_heads; h++) {
        let sum = 0;
        for (let q = 2; q < n; q++) {
          let largest = 0;
          for (let k = 1; k < q; k++) largest = Math.max(largest, weight(q, k, h, pattern(l)));
          sum += largest;
        }
        if (sum > best[0]) best = [sum, l, h];
      }
    }
    return best.slice(1);
  }

  function show(next) {
    const isFirst = reading === null;
    const isLonger = !isFirst && next.names.length !== reading.names.length;
    reading = next;
    if (isFirst) {
      [layer, head] = mostDecided();
      layers.querySelectorAll("input")[layer].checked = true;
    }
    drawHeads();
    drawHead();
    if (isFirst || isLonger) lookAtLast();
  }
  function lookAtLast() {
    const query = reading.names.length - 1;
    const weights = reading.names.map((_, key) => weight(query, key));
    grid.pick(query, weights.indexOf(Math.max(...weights)));
  }

  const key = ramp("0", "1 of the query's attention", ["var(--scale-0)", "var(--scale-1)", "var(--scale-2)"]);
  place.replaceChildren(
    layers,
    heads,
    title,
    el("p", { class: "axes" }, "rows: queries · columns: keys"),
    el(
      "div",
      { class: "side" },
      grid.box,
      el("div", {}, said, key, el("h4", {}, "The text as this query sees it"), strip),
    ),
  );
  return { show };
}
