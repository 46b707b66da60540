// The page docs/explorer.md: starts the model of the folder model/ and gives every panel what was read of the text.
import { el } from "../../graders/see/page.js";
import { attentionPanel } from "./attention.js";
import { beamsPanel } from "./beams.js";
import * as beamSearch from "./beam_search.js";
import { selectRows, startModel } from "./model.js";
import { nextTokenPanel } from "./next_token.js";
import { named } from "./parts.js";
import { residualPanel, streamHooks } from "./residual.js";
import * as sampling from "./sampling.js";
import { textPanel } from "./text.js";
import { makeTokenizer } from "./tokenizer.js";
import { writingPanel } from "./writing.js";

const HERE = document.currentScript.src; // this file, wherever the site is served from
const MOST = 64; // tokens that grids show, the last ones: a square has to be large enough to be met

const place = (name) => document.getElementById(`explorer-${name}`);
const PANELS = ["text", "attention", "residual", "next", "writing", "beams"].map(place);
const status = place("status");
status.hidden = false;

function say(message) {
  status.textContent = message;
}

/** Put a line into every panel that has nothing to show: whoever is further down does not see the status. */
function sayInPanels(message) {
  for (const panel of PANELS) panel.replaceChildren(el("p", { class: "said" }, message));
}

/** What was in the way of a start, and what to do. */
function fail(message) {
  say(message);
  sayInPanels("Nothing to show here: the line at the top of the page says why, and what to do.");
}

/** A file of the model as JSON, asked for anew: another model may have been put there. Null when it is not there. */
async function fetched(name) {
  const answer = await fetch(new URL(`model/${name}`, HERE), { cache: "no-cache" });
  return answer.ok ? answer.json() : null;
}

async function start() {
  if (location.protocol === "file:")
    return fail("The explorer needs a web server: run mkdocs serve, and open the page there.");
  say("The model is loading, which takes some seconds the first time.");
  sayInPanels("The model is loading ...");
  const about = await fetched("about.json");
  if (!about) return fail("There is no model here yet: run headstart site, then load this page again.");
  const json = await fetched("tokenizer.json");
  if (!json) throw new Error("tokenizer.json is not there");
  const tokenizer = makeTokenizer(json);
  const model = await startModel(new URL("model/", HERE), new URL("worker.js", HERE), about);
  say(
    `${about.title}: ${about.n_layers} layers, ${about.n_heads} heads, width ${about.d_model}, ` +
      `${about.d_vocab.toLocaleString("en")} tokens in its vocabulary, ${about.n_ctx} in a text.`,
  );
  show({ model, tokenizer, about });
}

function show(parts) {
  const { model, tokenizer, about } = parts;
  const patterns = [...Array(about.n_layers).keys()].map((layer) => `blocks.${layer}.attn.hook_pattern`);
  const hooks = [...patterns, ...streamHooks(about)];
  const attention = attentionPanel(place("attention"), parts);
  const residual = residualPanel(place("residual"), parts);
  const nextToken = nextTokenPanel(place("next"), parts);
  const writing = writingPanel(place("writing"), parts, nextToken.options, (written) => text.set(written));
  const beams = beamsPanel(place("beams"), parts);
  const readers = [attention, residual, nextToken, writing, beams];
  let [wanted, running] = [null, null];

  /** Read the newest text; what was typed while another was being read is read after it. */
  function read(tokens) {
    wanted = tokens;
    return (running ??= readAll().finally(() => (running = null)));
  }
  async function readAll() {
    try {
      while (wanted) {
        const all = wanted;
        wanted = null;
        // Without a token there is nothing to read, and what is still drawn is of another text
        const isEmpty = all.length === 0;
        if (isEmpty) writing.stop();
        else await readOne(all);
        for (const panel of PANELS.slice(1)) panel.inert = isEmpty;
      }
    } catch (error) {
      say(`The model stopped: ${error.message}. Load the page again.`);
    }
  }
  async function readOne(all) {
    const seen = all.slice(-about.n_ctx);
    const found = await model.read([seen], { hooks });
    const first = Math.max(0, seen.length - MOST);
    const names = named(seen.slice(first), tokenizer);
    // A text that fills the window cannot be gone on with from a cache: every position would change
    const cache = all.length < about.n_ctx ? found.cache : null;
    const reading = { ...found, logits: found.logits[0], all, length: seen.length, first, names, cache };
    place("cut").hidden = first === 0;
    for (const panel of readers) panel.show(reading);
  }
  const text = textPanel(place("text"), parts, read);
  text.set(about.example);
  // For whoever likes to look behind it, in the browser's console
  window.headstart = { ...parts, selectRows, sampling, beamSearch };
}

start().catch((error) =>
  fail(
    `The model could not be started: ${error.message}. Expected a browser of 2023 or later, and the files of the ` +
      "folder model/; run headstart site, then load this page again.",
  ),
);
