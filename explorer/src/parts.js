// What several panels use, beside the parts that the pages of `headstart see` have: grids of values and their keyboard.
import { el, seen, short, svg } from "../../graders/see/page.js";

const ARROWS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
const LABEL = 12; // pixels, of a token beside a grid; a letter is 0.61 of that wide
const [SMALLEST, LARGEST] = [15, 40]; // pixels of a square

/** The texts of tokens. */
export const named = (tokens, tokenizer) => tokens.map((id) => tokenizer.text(id));

/** A token in a sentence. */
export const quoted = (text) => el("span", { class: "token" }, seen(text));

/**
 * A table of squares with tokens above its columns and names before its rows, of which one is looked at: by pointer, by
 * touch, or with the arrow keys.
 *
 * `draw({rows, columns, value, paint})` shows the values `value(row, column)` (null: no square) in the colours
 * `paint(value)`; `look(row, column)` is called with what is looked at.
 */
export function valueGrid(label, look) {
  const box = el("div", {
    class: "scroll grid",
    tabindex: 0,
    role: "group",
    "aria-label": `${label}; arrow keys move`,
  });
  let shown = null;
  let at = [0, 0];

  function draw(given) {
    shown = given;
    const { rows, columns, value, paint } = given;
    const room = (names) => 10 + 0.61 * LABEL * Math.max(...names.map((name) => short(name).length));
    const [left, top] = [room(rows), room(columns)];
    const side = Math.min(
      LARGEST,
      Math.max(SMALLEST, Math.floor((box.parentElement.clientWidth - left - 10) / columns.length)),
    );
    const [width, height] = [columns.length * side, rows.length * side];
    const squares = svg("g");
    rows.forEach((_, row) =>
      columns.forEach((_, column) => {
        const number = value(row, column);
        if (number === null) return;
        const place = { x: column * side + 0.5, y: row * side + 0.5, width: side - 1, height: side - 1, rx: 2 };
        squares.append(svg("rect", { ...place, style: `fill: ${paint(number)}`, "data-at": `${row} ${column}` }));
      }),
    );
    const before = rows.map((name, i) =>
      svg("text", { class: "token", x: -6, y: (i + 0.5) * side, "text-anchor": "end" }, short(name)),
    );
    const above = columns.map((name, i) =>
      svg("text", { class: "token", transform: `translate(${(i + 0.5) * side} -6) rotate(-90)` }, short(name)),
    );
    const cursor = svg("rect", { class: "cursor", width: side, height: side, rx: 2 });
    const size = { width: left + width + 2, height: top + height + 2 };
    const picture = svg("svg", {
      ...size,
      viewBox: `${-left} ${-top} ${size.width} ${size.height}`,
      "aria-hidden": "true",
    });
    picture.append(...before, ...above, squares, cursor);
    const point = (event) => {
      const frame = picture.getBoundingClientRect();
      pick(
        Math.floor((event.clientY - frame.top - top) / side),
        Math.floor((event.clientX - frame.left - left) / side),
      );
    };
    picture.addEventListener("pointermove", point);
    picture.addEventListener("pointerdown", point);
    box.replaceChildren(picture);
    shown = { ...given, side, cursor, before, above };
    move(Math.min(at[0], rows.length - 1), Math.min(at[1], columns.length - 1));
  }
  function pick(row, column) {
    const isThere = shown && shown.rows[row] !== undefined && shown.columns[column] !== undefined;
    if (isThere && shown.value(row, column) !== null) move(row, column);
  }
  function move(row, column) {
    at = [row, column];
    shown.cursor.setAttribute("x", column * shown.side);
    shown.cursor.setAttribute("y", row * shown.side);
    shown.before.forEach((text, i) => text.classList.toggle("here", i === row));
    shown.above.forEach((text, i) => text.classList.toggle("here", i === column));
    look(row, column);
  }
  box.addEventListener("keydown", (event) => {
    const by = ARROWS[event.key];
    if (!by || !shown) return;
    event.preventDefault();
    pick(at[0] + by[0], at[1] + by[1]);
    const { left, right } = shown.cursor.getBoundingClientRect();
    const frame = box.getBoundingClientRect();
    box.scrollLeft += Math.min(0, left - frame.left) + Math.max(0, right - frame.right);
  });
  whenWider(document.body, () => shown && draw(shown));
  return { box, draw, pick };
}

/** Calls `draw()` when the window makes a box wider or narrower; what is drawn into it changes its height alone. */
export function whenWider(box, draw) {
  let before = null;
  new ResizeObserver(() => {
    const is = box.clientWidth;
    if (before !== null && before !== is) draw();
    before = is;
  }).observe(box);
}

/** A slider with its name and what it is set to: `said(value)`; `change()` is called when it moves. */
export function slider(name, { min, max, step, value, said = String }, change) {
  const output = el("output", {}, said(value));
  const input = el("input", { type: "range", min, max, step, value, oninput: () => update() });
  const update = () => {
    output.textContent = said(input.valueAsNumber);
    input.setAttribute("aria-valuetext", output.textContent);
    change();
  };
  input.setAttribute("aria-valuetext", said(value));
  return {
    box: el("label", { class: "slider" }, el("span", {}, name), input, output),
    value: () => input.valueAsNumber,
  };
}

/** One of several, picked by a radio button: `names` are what they are called; `pick(i)` is called with the place. */
export function choice(label, names, picked, pick) {
  const group = `explorer-${label.replaceAll(" ", "-")}`;
  const radios = names.map((name, i) => {
    const input = el("input", { type: "radio", name: group, checked: i === picked, onchange: () => pick(i) });
    return el("label", { class: "radio" }, input, el("span", {}, name));
  });
  return el("fieldset", { class: "choice" }, el("legend", {}, label), ...radios);
}
