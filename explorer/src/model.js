// The model as the page sees it: tokens in, logits and hook points out. The work is done in worker.js.

/**
 * The keys and values of the tokens that were read: `keys` and `values` are {data, dims} with dims
 * (n_layers, batch, n_heads, length, d_head).
 */
const emptyCache = ({ n_layers, n_heads, d_head }, batch) => {
  const nothing = { data: new Float32Array(0), dims: [n_layers, batch, n_heads, 0, d_head] };
  return { keys: nothing, values: nothing };
};

/** The cache whose rows are the given rows of another. */
export function selectRows(cache, rows) {
  const select = ({ data, dims: [layers, batch, ...rest] }) => {
    const size = rest.reduce((a, b) => a * b, 1);
    const selected = new Float32Array(layers * rows.length * size);
    for (let layer = 0; layer < layers; layer++) {
      rows.forEach((row, i) => {
        const from = (layer * batch + row) * size;
        selected.set(data.subarray(from, from + size), (layer * rows.length + i) * size);
      });
    }
    return { data: selected, dims: [layers, rows.length, ...rest] };
  };
  return { keys: select(cache.keys), values: select(cache.values) };
}

/** Start the model of a folder. Throws `Error` when it cannot be started here. */
export async function startModel(folder, workerUrl, about) {
  const worker = new Worker(workerUrl, { type: "module" });
  const waiting = new Map();
  let n = 0;
  worker.onmessage = ({ data: { id, ...answer } }) => {
    const { done, failed } = waiting.get(id);
    waiting.delete(id);
    if (answer.error) failed(new Error(answer.error));
    else done(answer);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    for (const { failed } of waiting.values()) failed(new Error(event.message || `${workerUrl} could not be loaded`));
    waiting.clear();
  };
  const ask = (question) =>
    new Promise((done, failed) => {
      waiting.set(++n, { done, failed });
      worker.postMessage({ id: n, ...question });
    });
  await ask({ load: new URL("model.onnx", folder).href });

  /**
   * Read `tokens`, texts of the same length, after what `cache` holds (null: nothing). Returns `logits`, an array for
   * each row, of what follows its last token; the `cache` of all that was read, if `keepsCache`; `hooks`, {data, dims}
   * of each that is named; and the `milliseconds` that the graph took.
   */
  async function read(tokens, { cache = null, hooks = [], keepsCache = true } = {}) {
    const [batch, length] = [tokens.length, tokens[0].length];
    const past = cache ?? emptyCache(about, batch);
    const feeds = {
      tokens: { data: BigInt64Array.from(tokens.flat(), BigInt), dims: [batch, length] },
      past_keys: past.keys,
      past_values: past.values,
    };
    const fetches = ["logits", ...(keepsCache ? ["keys", "values"] : []), ...hooks];
    const { values, milliseconds } = await ask({ feeds, fetches });
    const { logits, keys, values: held, ...hooked } = values;
    const size = about.d_vocab;
    const last = (row) => Array.from(logits.data.subarray(((row + 1) * length - 1) * size, (row + 1) * length * size));
    return {
      logits: tokens.map((_, row) => last(row)),
      cache: keepsCache ? { keys, values: held } : null,
      hooks: hooked,
      milliseconds,
    };
  }

  return { about, read };
}
