// Which tokens each layer reads in each step, with the cache and without; and how far the logits are apart.
function draw(main, data) {
  const { tokens, steps, n_layers: layers } = data;
  const n = tokens.length;
  let here = { step: steps.length - 1, token: n - 1, layer: 0 };
  const said = el("output", { "aria-live": "polite" });
  const cursors = [];

  const first = (step, way, layer) => step.end - (way === "cached" ? step.read_cached : step.read_plain)[layer];
  function state(step, way, layer, token) {
    if (token >= step.end) return "later";
    if (token >= first(step, way, layer)) return "read";
    return way === "cached" ? "held" : "unread";
  }

  function staircase(way, name) {
    const SIDE = 320;
    const room = 44;
    const cell = SIDE / n;
    const high = Math.max(18, Math.min(30, cell));
    const squares = svg("g");
    steps.forEach((step, i) => {
      for (let token = 0; token < step.end; token++) {
        for (let layer = 0; layer < layers; layer++) {
          const stripe = (high - 3) / layers;
          squares.append(svg("rect", { class: state(step, way, layer, token), x: token * cell + 0.75, y: i * high + 1.5 + layer * stripe, width: cell - 1.5, height: stripe + 0.15 }));
        }
      }
    });
    const top = 12 + 6.7 * Math.max(...tokens.map((t) => short(t).length));
    const size = Math.min(11, cell * 0.95);
    const columns = tokens.map((t, i) => svg("text", { class: "token", "dominant-baseline": "central", transform: `translate(${(i + 0.5) * cell} -6) rotate(-90)`, style: `font-size: ${size}px` }, short(t)));
    const rows = steps.map((_, i) => svg("text", { x: -8, y: (i + 0.5) * high, "text-anchor": "end", "dominant-baseline": "central" }, i === 0 ? "step 1" : `${i + 1}`));
    const cursor = svg("rect", { class: "cursor", width: cell, height: high, rx: 2 });
    cursors.push(() => { cursor.setAttribute("x", here.token * cell); cursor.setAttribute("y", here.step * high); });
    const drawing = svg("svg", { viewBox: `${-room} ${-top} ${SIDE + room + 2} ${steps.length * high + top + 4}`, "aria-hidden": "true" }, ...columns, ...rows, squares, cursor);
    const at = (event) => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse());
      const step = Math.floor(point.y / high);
      pick(step, Math.floor(point.x / cell), Math.floor(((point.y - step * high - 1.5) / (high - 3)) * layers));
    };
    const read = steps.reduce((sum, step) => sum + (way === "cached" ? step.read_cached : step.read_plain)[0], 0);
    const box = el("div", { class: "map", tabindex: 0, role: "group", "aria-label": `${name}: a square for each step and token; arrow keys move`, onpointermove: at, onpointerdown: at, onkeydown: move }, drawing);
    return el("div", {}, el("h3", {}, name), box, el("p", { class: "total" }, el("b", {}, String(read)), ` tokens read by layer 0 in ${steps.length} steps`));
  }
  function move(event) {
    const by = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    pick(here.step + by[0], here.token + by[1], here.layer);
  }
  function pick(step, token, layer) {
    if (!steps[step] || token < 0 || token >= n) return;
    here = { step, token, layer: Math.min(layers - 1, Math.max(0, layer)) };
    look();
  }
  function look() {
    cursors.forEach((set) => set());
    const step = steps[here.step];
    const words = { read: "is read", held: "is held in the cache", later: "is not there yet", unread: "is not read" };
    said.replaceChildren(
      `Step ${here.step + 1}, layer ${here.layer}, token `, tokenBox(tokens[here.token]), " at ", String(here.token), ": with the cache it ",
      el("b", {}, words[state(step, "cached", here.layer, here.token)]), ", without it ",
      el("b", {}, words[state(step, "plain", here.layer, here.token)]), `. The layer reads ${step.read_cached[here.layer]} and ${step.read_plain[here.layer]} of ${step.end}.`,
    );
  }

  // Differences on a scale of powers of ten: what counts is how many digits agree
  function apart() {
    const [LOW, HIGH] = [-17, 2];
    const share = (v) => (v === null ? 1 : v === 0 ? 0 : Math.min(1, Math.max(0.02, (Math.log10(v) - LOW) / (HIGH - LOW))));
    const edge = `left: ${100 * share(TOLERANCE)}%`;
    const rows = steps.map((step, i) => {
      const bar = (value, wrong, name) =>
        el("div", { class: "row digits" }, el("span", {}, name), el("div", { class: "track" }, el("i", { class: wrong ? "wrong" : "fine", style: `width: ${100 * share(value)}%` }), el("i", { class: "cap", style: edge })), el("span", { class: wrong ? "share bad" : "share" }, number(value)));
      const length = el("span", { class: step.length === step.end ? "" : "bad" }, step.length === step.end ? `cache length ${step.length}` : `cache length ${step.length ?? "unknown"}, expected ${step.end}`);
      const names = tokens.slice(step.begin, step.end).map((t) => tokenBox(t));
      return el("div", { class: "step" }, el("div", { class: "what" }, el("b", {}, `step ${i + 1}`), " reads ", ...names, el("br"), length), el("div", {}, bar(step.apart, step.is_apart, "cache or not"), bar(step.from_lens, step.is_wrong, "TransformerLens")));
    });
    return section("How far the logits are apart", "The largest difference of a logit in each step, on a scale of powers of ten: between your model with the cache and without, and between it with the cache and TransformerLens. The mark is what the graders allow, 1e−9.", el("div", { class: "steps" }, ...rows));
  }

  const legend = key(["background: var(--yours)", "read in this step"], ["background: var(--scale-held)", "keys and values held in the cache"]);
  const sides = el("div", { class: "side" }, staircase("cached", "with the cache"), staircase("plain", "without it"));
  main.replaceChildren(
    section("Who reads what", `A row is a step, a column a token. Each square has ${layers} stripes, a layer each, the first on top.`, sides, legend, said),
    apart(),
  );
  look();
}
