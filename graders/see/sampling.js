// The next token's distribution before and after each filter: kept, cut, and what was cut with them.
function draw(main, data) {
  const { tokens, shown, steps } = data;
  const top = Math.max(...steps.flatMap((step) => [...step.shares, ...step.expected, step.others].map((v) => v ?? 0)));
  const width = (share) => `${(100 * (share ?? 0)) / top}%`;
  const part = (kind, from, to) => el("i", { class: kind, style: `left: ${width(from)}; width: ${width(to - from)}` });

  // A bar in two parts: what stays, and what was lost to others or gained from them
  function bar(share, before, kept, wrong, expected) {
    const [now, was] = [share ?? 0, before ?? 0];
    const parts = wrong
      ? [part("wrong", 0, now), el("i", { class: "cap", style: `left: ${width(expected)}` })]
      : [part("yours", 0, Math.min(now, was)), now > was ? part("gained", was, now) : part(kept ? "lost" : "gone", now, was)];
    return el("div", { class: "track" }, ...parts);
  }

  const count = (n) => (n === 1 ? "1 token is" : `${n} tokens are`);
  function panel(step, i) {
    const before = steps[Math.max(0, i - 1)];
    const bars = shown.map((token, j) => {
      const [share, kept, wrong] = [step.shares[j], step.kept[j], step.wrong[j]];
      const expected = step.expected[j];
      const name = `${seen(token)}: ${kept ? percent(share) : "cut"}${i ? `, before ${percent(before.shares[j])}` : ""}${wrong ? `; expected ${expected > 0 ? percent(expected) : "cut"}` : ""}`;
      return el("div", { class: `row choice${kept ? "" : " cut"}${wrong ? " off" : ""}`, title: name },
        tokenBox(token),
        bar(share, before.shares[j], kept, wrong, expected),
        el("span", { class: wrong ? "share bad" : "share" }, kept ? percent(share) : "cut"));
    });
    const rest = el("div", { class: "row choice rest" }, el("span", { class: "others" }, `${step.n_others || "no"} others`),
      bar(step.others, before.others, step.n_others > 0, false),
      el("span", { class: "share" }, step.n_others ? percent(step.others) : "none"));
    const said = i === 0
      ? `All ${data.d_vocab} tokens, as the model has them.`
      : step.n_cut ? `Cuts ${step.n_cut} of the tokens and ${percent(step.cut)} of the probability; ${count(step.n_kept)} kept.` : `Cuts nothing; ${count(step.n_kept)} kept.`;
    const wrong = step.n_wrong ? el("p", { class: "bad" }, `${count(step.n_wrong)} not what the reference makes of ${step.n_wrong === 1 ? "it" : "them"}; the mark is where a bar should end.`) : null;
    return el("section", { class: "panel" }, el("h2", {}, i ? `${i}. ${step.name}` : step.name), step.function ? el("h3", { class: "token" }, step.function) : el("h3", {}, "softmax of the logits"), el("p", {}, said), wrong, el("div", { class: "bars" }, ...bars, rest));
  }

  const text = el("p", { class: "strip" }, ...tokens.map((t) => tokenBox(t)), " ", el("span", { class: "token asks" }, "?"));
  const legend = key(["background: var(--yours)", "stays"], ["background: var(--gain)", "gained"], ["background: var(--scale-held)", "lost to others"], ["background: var(--hatch)", "cut"]);
  const begin = section("What follows this?", "The filters work in this order, each on what the one before it left. All panels have one scale.", text, legend);
  main.replaceChildren(el("div", { class: "panels" }, begin, ...steps.map(panel)));
}
