// The residual stream's length at each place of the text, after each addition to it.
import { el, number, ramp, shade } from "../../graders/see/page.js";
import { quoted, valueGrid } from "./parts.js";

/** The hook points of the stream, in order: the start, then what it is after each attention layer and each MLP. */
export const streamHooks = ({ n_layers }) => [
  "blocks.0.hook_resid_pre",
  ...[...Array(n_layers).keys()].flatMap((l) => [`blocks.${l}.hook_resid_mid`, `blocks.${l}.hook_resid_post`]),
];

export function residualPanel(place, { about }) {
  const hooks = streamHooks(about);
  const rows = ["start", ...hooks.slice(1).map((_, i) => `${Math.floor(i / 2)}\u00a0${i % 2 ? "MLP" : "attn"}`)];
  let [reading, lengths] = [null, []];
  const said = el("output", { class: "said" });
  const key = el("div");
  const grid = valueGrid("length of the residual stream, a row for each addition and a column for each token", tell);

  function show(next) {
    const isFirst = reading === null;
    reading = next;
    const { names, first } = next;
    lengths = hooks.map((name) => names.map((_, i) => norm(next.hooks[name].data, first + i)));
    const top = Math.max(...lengths.flat());
    const paint = (length) => shade(length / top);
    key.replaceChildren(ramp("0", number(top, 1), ["var(--scale-0)", "var(--scale-1)", "var(--scale-2)"]));
    grid.draw({ rows, columns: names, value: (row, column) => lengths[row][column], paint });
    // What the page says to look for: the token that has grown most by the last layer
    if (isFirst) grid.pick(rows.length - 1, lengths.at(-1).indexOf(Math.max(...lengths.at(-1))));
  }
  function norm(data, at) {
    let sum = 0;
    for (let i = at * about.d_model; i < (at + 1) * about.d_model; i++) sum += data[i] ** 2;
    return Math.sqrt(sum);
  }
  function tell(row, column) {
    const layer = Math.floor((row - 1) / 2);
    const when = row === 0 ? "At the start" : `After layer ${layer}'s ${row % 2 ? "attention" : "MLP"}`;
    said.replaceChildren(
      `${when} the stream of `,
      quoted(reading.names[column]),
      ` at ${reading.first + column} is `,
      el("b", {}, number(lengths[row][column], 2)),
      " long.",
    );
  }
  place.replaceChildren(
    el("p", { class: "axes" }, "rows: what was added last · columns: tokens"),
    el("div", { class: "side" }, grid.box, el("div", {}, said, key)),
  );
  return { show };
}
