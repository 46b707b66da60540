// The length of the residual stream after each addition to it, and what was added, beside TransformerLens's.
function draw(main, data) {
  const { tokens, slots, first } = data;
  let who = -1; // a token; -1 for the mean of all
  let here = first && first.slot >= 0 ? first.slot : slots.length - 1;
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  const of = (values) => (!values ? null : who >= 0 ? values[who] : values.includes(null) ? null : mean(values));

  const box = el("div", { class: "map", tabindex: 0, role: "group", "aria-label": "the stream from left to right; arrow keys move", onkeydown: move });
  const said = el("output", { "aria-live": "polite" });

  function chart() {
    const width = Math.max(280, box.clientWidth);
    const [left, right, top, bottom, height] = [38, 8, 26, 34, Math.min(380, Math.max(240, width * 0.4))];
    const step = (width - left - right) / slots.length;
    const all = slots.flatMap((s) => [s.stream, s.added].flatMap((v) => (v ? [of(v.yours), of(v.expected)] : []))).filter((v) => v !== null);
    const [high, tick] = ceiling(Math.max(...all));
    const y = (v) => top + (height - top - bottom) * (1 - v / high);
    const x = (i) => left + step * (i + 0.5);
    const parts = [];
    for (let v = 0; v <= high * 1.001; v += tick) {
      parts.push(svg("line", { class: "axis", x1: left, x2: width - right, y1: y(v), y2: y(v) }));
      parts.push(svg("text", { x: left - 6, y: y(v), "text-anchor": "end", "dominant-baseline": "central" }, number(v, 1)));
    }
    parts.push(svg("text", { x: 0, y: 11 }, "L2 norm"));
    if (first && first.slot >= 0) {
      const at = x(first.slot);
      parts.push(svg("rect", { class: "first", x: at - step / 2, y: top - 6, width: step, height: height - top - bottom + 6 }));
      parts.push(svg("text", { class: "bad", x: Math.min(Math.max(at, left + 45), width - 60), y: 12, "text-anchor": "middle" }, "first to differ"));
    }
    slots.forEach((slot, i) => {
      const half = Math.min(16, step * 0.36);
      if (slot.added) {
        const [yours, expected] = [of(slot.added.yours), of(slot.added.expected)];
        const kind = i % 2 ? "attn" : "mlp";
        if (yours !== null) parts.push(svg("rect", { class: `bar ${kind}`, x: x(i) - half, width: 2 * half, y: y(yours), height: y(0) - y(yours) }));
        parts.push(svg("path", { class: "lens", d: `M${x(i) - half - 2} ${y(expected)} h${2 * half + 4}` }));
      }
      if (i % 2 || i === 0) {
        const name = i === 0 ? "start" : `${width < 480 ? "" : "layer "}${(i - 1) / 2}`;
        parts.push(svg("text", { x: i === 0 ? x(0) : x(i) + step / 2, y: height - 16, "text-anchor": "middle" }, name));
      }
    });
    if (width < 480) parts.push(svg("text", { x: (left + width) / 2, y: height - 1, "text-anchor": "middle" }, "layer"));
    const lines = runs(slots.map((slot, i) => [x(i), of(slot.stream.yours)])).map((points) => svg("polyline", { class: "stream", points: points.map(([a, b]) => `${a},${y(b)}`).join(" ") }));
    parts.push(...lines);
    slots.forEach((slot, i) => {
      parts.push(svg("circle", { class: "lens", cx: x(i), cy: y(of(slot.stream.expected)), r: 6 }));
      if (of(slot.stream.yours) !== null) parts.push(svg("circle", { class: "dot", cx: x(i), cy: y(of(slot.stream.yours)), r: 3 }));
    });
    parts.push(svg("rect", { class: "here", x: x(here) - step / 2, y: top, width: step, height: height - top - bottom }));
    const at = (event) => pick(Math.floor((event.clientX - box.getBoundingClientRect().left - left) / step));
    box.replaceChildren(svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", onpointermove: at, onpointerdown: at }, ...parts));
    tell();
  }
  // Stretches of points that are all there
  function runs(points) {
    const found = [[]];
    for (const point of points) point[1] === null ? found.push([]) : found.at(-1).push(point);
    return found.filter((run) => run.length);
  }
  function ceiling(value) {
    const size = 10 ** Math.floor(Math.log10(value || 1));
    const tick = [0.2, 0.5, 1, 2].map((k) => k * size).find((t) => value / t <= 6);
    return [Math.ceil(value / tick) * tick, tick];
  }
  function move(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    pick(here + by);
  }
  function pick(i) {
    if (i === here || !slots[i]) return;
    here = i;
    chart();
  }
  function tell() {
    const slot = slots[here];
    const pair = (values) => [el("b", {}, values.yours ? number(of(values.yours)) : "not seen"), ` (TransformerLens ${number(of(values.expected))})`];
    const whose = who < 0 ? ["mean of all tokens"] : ["token ", tokenBox(tokens[who])];
    said.replaceChildren(slot.name, ", ", ...whose, ": ", ...(slot.added ? ["adds ", ...pair(slot.added), ", after which "] : []), "the stream is ", ...pair(slot.stream), " long.");
  }

  const choose = tabs("whose vector", ["all tokens", ...tokens.map((t) => short(t))], 0, (i) => { who = i - 1; chart(); });
  const legend = key(
    ["background: var(--ink); height: 2px", "the stream"],
    ["background: var(--attn)", "added by attention"],
    ["background: var(--mlp)", "added by the MLP"],
    ["border: 2px solid var(--lens); border-radius: 50%; background: none", "TransformerLens: rings and caps"],
  );
  const sizes = section("How long the stream is, and what is added", "The line is the length of the stream's vectors; a bar is the length of what one part adds there. Vectors add with their directions, so lengths do not add up.", choose, box, said, legend);
  const sections = [wide(sizes)];
  const hooks = hookTable(data.hooks, Boolean(data.lens));
  if (data.next) sections.push(nextTokens(tokens, data.next));
  sections.push(data.next ? hooks : wide(hooks));
  if (data.lens) sections.push(wide(lens(tokens, data.lens)));
  main.classList.add("halves");
  main.replaceChildren(...sections);
  new ResizeObserver(chart).observe(main);
}

// The likeliest tokens after each position
function nextTokens(tokens, next) {
  const bars = el("div", { class: "bars" });
  function show(i) {
    const [{ likely, largest }, top] = [next[i], Math.max(...next[i].likely.flatMap(([, a, b]) => [a ?? 0, b ?? 0]))];
    const rows = likely.map(([token, yours, expected]) => {
      const differs = yours === null || percent(yours) !== percent(expected);
      const style = (share) => `width: ${(100 * (share ?? 0)) / top}%`;
      return el("div", { class: "row" }, tokenBox(token), el("div", { class: "track" }, el("i", { class: differs ? "yours wrong" : "yours", style: style(yours) }), el("i", { class: "cap", style: `left: ${(100 * (expected ?? 0)) / top}%` })),
        el("span", { class: differs ? "share bad" : "share" }, percent(yours) + (differs ? ` (${percent(expected)})` : "")));
    });
    const good = largest !== null && largest < TOLERANCE * 100;
    bars.replaceChildren(...rows, el("p", { class: good ? "good" : "bad" }, `Largest difference of a logit here: ${number(largest)}.`));
  }
  const choose = tabs("after which token", tokens.map((t) => short(t)), tokens.length - 1, show);
  show(tokens.length - 1);
  return section("What comes next", "The likeliest tokens after the one you pick; it sees what stands before it and itself. The mark on a bar is TransformerLens's probability, in brackets where it is another.", choose, bars);
}

// The logit lens: what each layer's stream would say comes next
function lens(tokens, rows) {
  const head = el("tr", {}, el("td"), ...tokens.map((t) => el("th", { scope: "col", class: "token" }, short(t))));
  const lines = rows.map((row) => {
    const cells = row.expected.map(([token, share], i) => {
      const mine = row.yours ? row.yours[i] : null;
      const differs = mine !== null && (mine[0] !== token || mine[1] === null || Math.abs(mine[1] - share) > 0.01);
      if (mine === null) return el("td", {}, "–");
      const title = `${row.name}, after ${seen(tokens[i])}: ${seen(mine[0])} ${percent(mine[1])}; TransformerLens ${seen(token)} ${percent(share)}`;
      return el("td", { class: differs ? "token wrong" : "token", title, style: painted(shade(mine[1])) }, short(mine[0], 8));
    });
    return el("tr", {}, el("th", { scope: "row" }, row.name), ...cells);
  });
  const table = el("table", { class: "lens" }, el("thead", {}, head), el("tbody", {}, ...lines));
  return section("What each layer would say", "The logit lens: if the model stopped after this layer, its likeliest next token for every position. Read a column downwards to see a guess settle. Framed: TransformerLens's token is another, or its probability by more than 1%.", el("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "the logit lens" }, table), ramp("0", "1, its probability", ["var(--scale-0)", "var(--scale-1)", "var(--scale-2)"]));
}
