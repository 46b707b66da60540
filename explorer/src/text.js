// The text box, and the tokens that it is to the model.
import { el, seen } from "../../graders/see/page.js";

const PAUSE = 200; // milliseconds without a key after which the model reads
const MOST_UNSEEN = 100; // tokens that are shown of those that the model does not see, the last ones: a play has many

/** Calls `changed(tokens)`, a promise, when the text is another; `set(text)` replaces it. */
export function textPanel(place, { tokenizer, about }, changed) {
  const area = el("textarea", {
    id: "explorer-area",
    rows: 3,
    spellcheck: "false",
    autocomplete: "off",
    "aria-describedby": "explorer-count",
  });
  const count = el("p", { id: "explorer-count", class: "said", role: "status" });
  const list = el("ol", { class: "tokens", "aria-label": "tokens", tabindex: 0 });
  let timer = 0;

  async function update() {
    const tokens = tokenizer.encode(area.value);
    const unseen = Math.max(0, tokens.length - about.n_ctx);
    const from = Math.max(0, unseen - MOST_UNSEEN);
    list.replaceChildren(...tokens.slice(from).map((id, i) => chip(id, from + i < unseen)));
    count.textContent = said(tokens.length, [...area.value].length, unseen);
    await changed(tokens);
    place.ariaBusy = "false";
  }
  function chip(id, isUnseen) {
    return el(
      "li",
      { class: isUnseen ? "unseen" : null },
      el("span", { class: "token" }, seen(tokenizer.text(id))),
      el("small", {}, String(id)),
    );
  }
  function said(n, characters, unseen) {
    if (n === 0) return "There is no token yet; expected at least one for the model to continue: type something.";
    const counted = `${n} ${n === 1 ? "token" : "tokens"} for ${characters} ${characters === 1 ? "character" : "characters"}.`;
    return unseen
      ? `${counted} The model sees ${about.n_ctx} at most, the last ones; the first ${unseen} are lost to it.`
      : counted;
  }
  area.addEventListener("input", () => {
    place.ariaBusy = "true";
    clearTimeout(timer);
    timer = setTimeout(update, PAUSE);
  });
  place.replaceChildren(el("label", { for: "explorer-area" }, "Your text"), area, count, list);

  function set(text) {
    area.value = text;
    place.ariaBusy = "true";
    update();
  }
  return { set };
}
