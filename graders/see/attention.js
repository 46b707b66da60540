// The patterns of all heads, and of one of them in full beside TransformerLens's.
function draw(main, data) {
  const { tokens } = data;
  const n = tokens.length;
  const wrongHead = (head) => head.wrong.length > 0;
  let table = data.tables[0];
  const sharpness = (one) => one.yours.slice(1).reduce((sum, line) => sum + Math.max(...line.map((v) => v ?? 0)), 0);
  let [row, col] = start();
  let [query, source] = [n - 1, 0];

  function start() {
    for (const [i, layer] of table.layers.entries()) {
      const j = layer.heads.findIndex(wrongHead);
      if (j >= 0) return [i, j];
    }
    // Nothing differs: the head that is most decided about whom to listen to
    const all = table.layers.flatMap((layer, i) => layer.heads.map((one, j) => [sharpness(one), i, j]));
    return all.reduce((best, one) => (one[0] > best[0] ? one : best)).slice(1);
  }
  const isPattern = () => table.name === "hook_pattern";
  const largest = (head) => Math.max(1e-12, ...head.expected.flat().filter((v) => v !== null).map(Math.abs));
  const painter = (head) => (isPattern() ? shade : ((top) => (v) => signed(v === null ? null : v / top))(largest(head)));
  const head = () => table.layers[row].heads[col];

  // All heads, small
  const heads = el("div", { class: "heads", role: "group", "aria-label": "all heads; arrow keys move" });
  function drawHeads() {
    const width = table.layers[0].heads.length;
    heads.style.gridTemplateColumns = `auto repeat(${width}, minmax(0, 1fr))`;
    heads.replaceChildren(el("span"), ...table.layers[0].heads.map((_, j) => el("span", {}, `head ${j}`)));
    table.layers.forEach((layer, i) => {
      heads.append(el("span", {}, `layer ${layer.layer}`));
      layer.heads.forEach((one, j) => heads.append(thumb(layer.layer, i, one, j)));
    });
    markHead();
  }
  function thumb(layer, i, one, j) {
    const paint = painter(one);
    const squares = one.yours.flatMap((line, q) =>
      line.map((v, k) => (v === null || k > q && v === 0 ? null : svg("rect", { x: k, y: q, width: 1.02, height: 1.02, style: `fill: ${paint(v)}` }))),
    );
    const name = `layer ${layer}, head ${j}${wrongHead(one) ? ": differs" : ""}`;
    const small = svg("svg", { viewBox: `0 0 ${n} ${n}`, "aria-hidden": "true", "shape-rendering": "crispEdges" }, ...squares);
    return el("button", { type: "button", title: name, "aria-label": name, class: wrongHead(one) ? "wrong" : null, "data-at": `${i} ${j}`, onclick: () => pickHead(i, j), onkeydown: moveHead }, small);
  }
  function moveHead(event) {
    const by = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    const [i, j] = [row + by[0], col + by[1]];
    if (!table.layers[i]?.heads[j]) return;
    pickHead(i, j);
    heads.querySelector(`[data-at="${i} ${j}"]`).focus();
  }
  function pickHead(i, j) {
    [row, col] = [i, j];
    markHead();
    drawHead();
  }
  function markHead() {
    for (const button of heads.querySelectorAll("button")) {
      const here = button.dataset.at === `${row} ${col}`;
      button.setAttribute("aria-pressed", String(here));
      button.tabIndex = here ? 0 : -1;
    }
  }

  // One head, large, twice
  const title = el("h2");
  const note = el("p");
  const maps = el("div", { class: "side" });
  const said = el("output", { "aria-live": "polite" });
  const strip = el("p", { class: "strip" });
  const legend = el("div");
  let cursors = [];

  function drawHead() {
    const one = head();
    const layer = table.layers[row].layer;
    title.textContent = `Layer ${layer}, head ${col}`;
    note.replaceChildren(
      wrongHead(one)
        ? el("span", { class: "bad" }, `${one.wrong.length} of ${n * n} numbers differ, ${one.largest === null ? "some are NaN" : `by up to ${number(one.largest)}`}; they are framed.`)
        : el("span", { class: "good" }, `Equal: the largest difference is ${number(one.largest)}.`),
    );
    cursors = [];
    maps.replaceChildren(map("yours", one.yours, one), map("TransformerLens", one.expected, one));
    legend.replaceChildren(
      isPattern()
        ? ramp("0", "1 of the query's attention", ["var(--scale-0)", "var(--scale-1)", "var(--scale-2)"])
        : ramp(number(-largest(one), 1), number(largest(one), 1), ["var(--below)", "var(--scale-0)", "var(--above)"]),
    );
    look();
  }
  function map(name, matrix, one) {
    const SIDE = 300;
    const cell = SIDE / n;
    const room = 14 + 6.7 * Math.max(...tokens.map((t) => short(t).length));
    const size = Math.min(11, cell * 0.95);
    const paint = painter(one);
    const wrong = new Set(one.wrong.map(([q, k]) => q * n + k));
    const squares = svg("g");
    matrix.forEach((line, q) =>
      line.forEach((v, k) => {
        if (v === null && !wrong.has(q * n + k)) return;
        const framed = wrong.has(q * n + k) && name === "yours" ? "wrong" : null;
        squares.append(svg("rect", { x: k * cell + 0.5, y: q * cell + 0.5, width: cell - 1, height: cell - 1, rx: Math.min(2, cell / 8), class: framed, style: `fill: ${paint(v)}` }));
        if (v === null) squares.append(svg("text", { class: "nan", x: (k + 0.5) * cell, y: (q + 0.5) * cell, "text-anchor": "middle", "dominant-baseline": "central" }, "×"));
      }),
    );
    const rows = tokens.map((t, i) => svg("text", { class: "token", x: -6, y: (i + 0.5) * cell, "text-anchor": "end", "dominant-baseline": "central", style: `font-size: ${size}px` }, short(t)));
    const columns = tokens.map((t, i) => svg("text", { class: "token", "text-anchor": "start", "dominant-baseline": "central", transform: `translate(${(i + 0.5) * cell} -6) rotate(-90)`, style: `font-size: ${size}px` }, short(t)));
    const cursor = svg("rect", { class: "cursor", width: cell, height: cell, rx: 2 });
    const axes = [
      svg("text", { x: 0, y: -room + 3 }, "key →"),
      svg("text", { transform: `translate(${-room + 6} 0) rotate(-90)`, "text-anchor": "end" }, "← query"),
    ];
    const drawing = svg("svg", { viewBox: `${-room} ${-room - 8} ${SIDE + room + 2} ${SIDE + room + 10}`, "aria-hidden": "true" }, ...axes, ...rows, ...columns, squares, cursor);
    cursors.push({ cursor, rows, columns, cell });
    const at = (event) => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse());
      const [q, k] = [Math.floor(point.y / cell), Math.floor(point.x / cell)];
      if (q >= 0 && q < n && k >= 0 && k < n) pick(q, k);
    };
    const box = el("div", { class: "map", tabindex: 0, role: "group", "aria-label": `${name}: a square for each query and key; arrow keys move`, onpointermove: at, onpointerdown: at, onkeydown: move }, drawing);
    return el("div", {}, el("h3", {}, name), box);
  }
  function move(event) {
    const by = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    pick(Math.min(n - 1, Math.max(0, query + by[0])), Math.min(n - 1, Math.max(0, source + by[1])));
  }
  function pick(q, k) {
    [query, source] = [q, k];
    look();
  }
  function look() {
    for (const { cursor, rows, columns, cell } of cursors) {
      cursor.setAttribute("x", source * cell);
      cursor.setAttribute("y", query * cell);
      rows.forEach((text, i) => text.classList.toggle("here", i === query));
      columns.forEach((text, i) => text.classList.toggle("here", i === source));
    }
    const one = head();
    const [yours, expected] = [one.yours[query][source], one.expected[query][source]];
    const value = (v) => (v === null && source > query ? "hidden" : number(v, 4));
    const differs = one.wrong.some(([q, k]) => q === query && k === source);
    said.replaceChildren(
      "Query ", tokenBox(tokens[query]), ` at ${query}, key `, tokenBox(tokens[source]), ` at ${source}: yours `,
      el("b", { class: differs ? "bad" : "" }, value(yours)), ", TransformerLens ", el("b", {}, value(expected)), ".",
    );
    const line = one.yours[query];
    const paint = painter(one);
    strip.replaceChildren(
      ...tokens.map((t, k) => {
        const kind = k === query ? "token asks" : k > query ? "token later" : "token";
        return el("span", { class: kind, style: k > query && !line[k] ? "" : painted(paint(line[k])) }, seen(t));
      }),
    );
  }

  const kinds = data.tables.map((one) => ({ hook_pattern: "pattern", hook_attn_scores: "scores" })[one.name]);
  const choice = kinds.length > 1 ? tabs("what is shown", kinds, 0, (i) => { table = data.tables[i]; drawHeads(); drawHead(); }) : null;
  const all = section("Every head", "Pick one to see it large. A red corner marks a head that differs.", choice, heads);
  const large = el("section", {}, title, note, maps, legend, el("h3", { style: "margin-top: 1rem" }, "The sentence, as this query sees it"), strip, said);
  main.classList.add("split");
  main.replaceChildren(all, large, wide(hookTable(data.hooks, false)));
  const strongest = head().expected[query].map((v) => v ?? -Infinity);
  source = strongest.indexOf(Math.max(...strongest));
  drawHeads();
  drawHead();
}
