// Runs the graph beside the page, so that the page never stops: one thread, WebAssembly, files of this folder only.
// Asked {id, load: url} or {id, feeds, fetches}; answers {id}, {id, values, milliseconds} or {id, error}.
import * as ort from "onnxruntime-web/wasm";

ort.env.wasm.numThreads = 1; // more need headers that a plain web server does not send
ort.env.wasm.wasmPaths = { wasm: new URL("ort-wasm-simd-threaded.wasm", self.location.href).href };

let session;

const toTensor = ({ data, dims }) => new ort.Tensor(data instanceof BigInt64Array ? "int64" : "float32", data, dims);

async function answer({ load, feeds, fetches }) {
  if (load) {
    const found = await fetch(load, { cache: "no-cache" }); // asked for anew: another model may have been put there
    if (!found.ok) throw new Error(`${load} is not there`);
    const graph = new Uint8Array(await found.arrayBuffer());
    session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
    return {};
  }
  const tensors = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, toTensor(value)]));
  const began = performance.now();
  const found = await session.run(tensors, fetches);
  const milliseconds = performance.now() - began;
  const values = fetches.map((name) => [name, { data: found[name].data, dims: [...found[name].dims] }]);
  return { values: Object.fromEntries(values), milliseconds };
}

let before = Promise.resolve(); // a session answers one question at a time
self.onmessage = ({ data: { id, ...asked } }) => {
  before = before.then(async () => {
    try {
      self.postMessage({ id, ...(await answer(asked)) });
    } catch (error) {
      self.postMessage({ id, error: String(error?.message ?? error) });
    }
  });
};
