// The next token's distribution before and after each filter: kept, cut, and what was cut with them.
function draw(main, data) {
  const { tokens, shown, steps } = data;
  const top = Math.max(...steps.flatMap((step) => [...step.shares, step.others].map((v) => v ?? 0)));
  const width = (share) => `${(100 * (share ?? 0)) / top}%`;

  function panel(step, i) {
    const before = steps[Math.max(0, i - 1)];
    const bars = shown.map((token, j) => {
      const [share, kept, wrong] = [step.shares[j], step.kept[j], step.wrong[j]];
      const expected = step.expected[j];
      const name = `${seen(token)}: ${kept ? percent(share) : "cut"}${i ? `, before ${percent(before.shares[j])}` : ""}${wrong ? `; expected ${expected > 0 ? percent(expected) : "cut"}` : ""}`;
      return el("div", { class: `row choice${kept ? "" : " cut"}${wrong ? " off" : ""}`, title: name },
        tokenBox(token),
        el("div", { class: "track" },
          i ? el("i", { class: "before", style: `width: ${width(before.shares[j])}` }) : null,
          el("i", { class: wrong ? "wrong" : "yours", style: `width: ${width(share)}` }),
          wrong ? el("i", { class: "cap", style: `left: ${width(expected)}` }) : null),
        el("span", { class: wrong ? "share bad" : "share" }, kept ? percent(share) : "cut"));
    });
    const rest = el("div", { class: "row choice rest" }, el("span", { class: "others" }, `${step.n_others} others`),
      el("div", { class: "track" }, i ? el("i", { class: "before", style: `width: ${width(before.others)}` }) : null, el("i", { class: "yours", style: `width: ${width(step.others)}` })),
      el("span", { class: "share" }, step.n_others ? percent(step.others) : "none"));
    const said = i === 0
      ? `All ${data.d_vocab} tokens, as the model has them.`
      : step.n_cut ? `Cuts ${step.n_cut} tokens and ${percent(step.cut)} of the probability; ${step.n_kept} are kept.` : `Cuts nothing; ${step.n_kept} tokens are kept.`;
    const wrong = step.n_wrong ? el("p", { class: "bad" }, `${step.n_wrong} tokens are not what the reference makes of them; the mark is where a bar should end.`) : null;
    return el("section", { class: "panel" }, el("h2", {}, i ? `${i}. ${step.name}` : step.name), step.function ? el("h3", { class: "token" }, step.function) : el("h3", {}, "softmax of the logits"), el("p", {}, said), wrong, el("div", { class: "bars" }, ...bars, rest));
  }

  const text = el("p", { class: "strip" }, ...tokens.map((t) => tokenBox(t)), " ", el("span", { class: "token asks" }, "?"));
  const legend = key(["background: var(--yours)", "after the filter"], ["background: var(--scale-held)", "before it"], ["background: var(--scale-0)", "cut"]);
  const panels = el("div", { class: "panels" }, ...steps.map(panel));
  main.replaceChildren(section("What follows this?", "Filters work in this order, each on what the one before it left. All panels have one scale.", text, legend), panels);
}
