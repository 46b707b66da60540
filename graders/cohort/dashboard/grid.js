"use strict";
// Draws the grid of `grid-data.js`: filtered and sorted here, a page of rows at a time, every text set as text.
const ROWS = 50;
const [NAME, ID, SECTION, PAGE, URGENCY, NEEDS, MISTAKES, CHANGED, CELLS] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const byId = (id) => document.getElementById(id);
const form = byId("filters");
const state = { sort: "needs", ascending: false, from: 0, rows: [] };

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const order = cohort.statuses.map(([name]) => ["passed", "failed", "error", "problem", "not_started", "missing", "waiting"].indexOf(name));
const { compare } = new Intl.Collator(undefined, { numeric: true }); // "Learner 2" before "Learner 10"
const never = (days) => (days === null ? Infinity : days);
const passed = (row) => row[CELLS].filter(([status]) => cohort.statuses[status][0] === "passed").length;
const COLUMNS = [
  { id: "name", title: "Learner", value: (row) => row[NAME].toLocaleLowerCase(), first: true },
  { id: "section", title: "Section", value: (row) => row[SECTION], first: true },
  { id: "needs", title: "Needs", value: (row) => row[URGENCY], first: false },
  { id: "passed", title: "Passed", value: passed, first: false },
  { id: "changed", title: "Last change", value: (row) => never(row[CHANGED]), first: true },
  ...cohort.exercises.map((title, i) => ({
    id: `exercise-${i}`,
    title,
    value: (row) => order[row[CELLS][i][0]] * 1e6 - row[CELLS][i][1],
    first: true,
    exercise: i,
  })),
];

function heading(column) {
  const button = make("button", { type: "button" }, make("span", {}, column.title));
  button.addEventListener("click", () => {
    state.ascending = state.sort === column.id ? !state.ascending : column.first;
    state.sort = column.id;
    state.from = 0;
    draw();
  });
  column.head = make("th", { scope: "col", class: column.exercise === undefined ? column.id : "exercise" }, button);
  return column.head;
}

function days(number) {
  return number === null ? "never" : number === 0 ? "today" : number === 1 ? "yesterday" : `${number} days ago`;
}

function cell([status, tries, changed]) {
  const [name, sign, word] = cohort.statuses[status];
  const attempts = tries ? `, ${tries} attempt${tries === 1 ? "" : "s"}` : "";
  const said = `${word}${attempts}${changed === null ? "" : `, last change ${days(changed)}`}`;
  return make(
    "td",
    { class: `cell ${name}`, title: said },
    make("span", { class: "sign", "aria-hidden": "true" }, tries ? `${sign} ${tries}` : sign),
    make("span", { class: "since", "aria-hidden": "true" }, changed === null ? "" : `${changed} d`),
    make("span", { class: "hidden" }, said),
  );
}

function line(row, number) {
  const link = make("a", { href: `learners/${row[PAGE]}.html` }, make("bdi", {}, row[NAME]));
  const section = row[SECTION] < 0 ? "" : cohort.sections[row[SECTION]];
  const needs = [...new Set(row[NEEDS])].map((kind) => {
    const times = row[NEEDS].filter((one) => one === kind).length;
    return make("span", { class: `kind ${kind}` }, times > 1 ? `${kind} ×${times}` : kind);
  });
  return make(
    "tr",
    { "aria-rowindex": number + 2 },
    make("th", { scope: "row", class: "name" }, link),
    make("td", { class: "section" }, make("bdi", {}, section)),
    make("td", { class: "needs" }, ...needs),
    make("td", { class: "number" }, `${passed(row)}/${cohort.exercises.length}`),
    make("td", { class: "number changed" }, days(row[CHANGED])),
    ...row[CELLS].map(cell),
  );
}

function fits(row, wanted) {
  const cells = wanted.exercise === "" ? row[CELLS] : [row[CELLS][Number(wanted.exercise)]];
  const name = wanted.name.trim().toLocaleLowerCase();
  return (
    (!name || row[NAME].toLocaleLowerCase().includes(name) || row[ID].toLocaleLowerCase().includes(name)) &&
    (wanted.section === "" || row[SECTION] === Number(wanted.section)) &&
    (wanted.status === "" || cells.some(([status]) => cohort.statuses[status][0] === wanted.status)) &&
    (wanted.need === "" || (wanted.need === "any" ? row[NEEDS].length > 0 : row[NEEDS].includes(wanted.need))) &&
    (wanted.mistake === "" || row[MISTAKES].includes(Number(wanted.mistake)))
  );
}

function draw() {
  const wanted = Object.fromEntries(new FormData(form));
  const column = COLUMNS.find(({ id }) => id === state.sort);
  const sign = state.ascending ? 1 : -1;
  const keyed = cohort.learners.filter((row) => fits(row, wanted)).map((row) => [column.value(row), row]);
  keyed.sort(([a, one], [b, other]) => {
    if (a !== b) return sign * (typeof a === "string" ? compare(a, b) : a < b ? -1 : 1);
    return compare(one[NAME], other[NAME]);
  });
  state.rows = keyed.map(([, row]) => row);
  for (const { id, head } of COLUMNS) {
    if (id === state.sort) head.setAttribute("aria-sort", state.ascending ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  }
  turn(0);
}

function turn(by) {
  const { rows } = state;
  state.from = Math.max(0, Math.min(state.from + by, Math.floor(Math.max(0, rows.length - 1) / ROWS) * ROWS));
  const shown = rows.slice(state.from, state.from + ROWS);
  const table = byId("grid");
  table.setAttribute("aria-rowcount", rows.length + 1);
  table.tBodies[0].replaceChildren(...shown.map((row, i) => line(row, state.from + i)));
  const all = cohort.learners.length.toLocaleString("en");
  byId("shown").textContent = rows.length
    ? `${rows.length.toLocaleString("en")} of ${all} learners; rows ${state.from + 1} to ${state.from + shown.length}.`
    : `None of ${all} learners. Take a filter off, or press “Show all”.`;
  byId("turning").hidden = rows.length <= ROWS;
  byId("before").disabled = state.from === 0;
  byId("after").disabled = state.from + ROWS >= rows.length;
}

function fill(name, options) {
  form.elements[name].append(...options.map(([value, text]) => make("option", { value }, text)));
}

function read() {
  // What a link from another page asks for: `#need=stuck`, `#mistake=law/attention/...`, `#exercise=mlp&status=failed`
  const asked = new URLSearchParams(location.hash.slice(1));
  const set = (name, value) => {
    if ([...form.elements[name].options].some((option) => option.value === value)) form.elements[name].value = value;
  };
  for (const name of ["status", "need"]) if (asked.has(name)) set(name, asked.get(name));
  if (asked.has("exercise")) set("exercise", String(cohort.exercises.indexOf(asked.get("exercise"))));
  if (asked.has("mistake")) set("mistake", String(cohort.mistakes.findIndex(([key]) => key === asked.get("mistake"))));
}

fill("section", cohort.sections.map((name, i) => [i, name]));
fill("exercise", cohort.exercises.map((name, i) => [i, name]));
fill("mistake", cohort.mistakes.map(([, says], i) => [i, says]));
byId("of-mistake").hidden = !cohort.mistakes.length;
byId("grid").tHead.append(make("tr", { "aria-rowindex": 1 }, ...COLUMNS.map(heading)));
byId("grid").hidden = false;
const again = () => {
  state.from = 0;
  draw();
};
form.addEventListener("input", again);
form.addEventListener("reset", () => setTimeout(again)); // the fields are empty only after the event
form.addEventListener("submit", (event) => event.preventDefault());
byId("before").addEventListener("click", () => turn(-ROWS));
byId("after").addEventListener("click", () => turn(ROWS));
window.addEventListener("hashchange", () => {
  read();
  again();
});
read();
draw();
