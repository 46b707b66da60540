// Makes docs/explorer/ from src/: `npm ci && npm run build`. The same sources and lock file give the same bytes.
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const OUT = process.argv[2] ?? new URL("../docs/explorer/", import.meta.url).pathname;
const LIBRARY = new URL("node_modules/onnxruntime-web/", import.meta.url).pathname;
const RUNTIME = "ort-wasm-simd-threaded.wasm"; // of the bundles, the smallest: WebAssembly alone, no graphics card
const KEPT = ["model"]; // made by `headstart site` or `headstart export-web`, and not committed
const SHARED = ["el", "svg", "seen", "short", "number", "percent", "shade", "painted", "ramp"];

// The pages of `headstart see` have a plain script; here it is a module
const see = {
  name: "see",
  setup({ onLoad }) {
    onLoad({ filter: /graders[/\\]see[/\\]page\.js$/ }, async ({ path }) => ({
      contents: `${await readFile(path, "utf-8")}\nexport { ${SHARED.join(", ")} };\n`,
    }));
  },
};

const sources = new URL("src/", import.meta.url).pathname;
const shared = {
  bundle: true,
  minify: true,
  target: "es2023",
  legalComments: "eof",
  outdir: OUT,
  plugins: [see],
  logLevel: "warning",
};

await mkdir(OUT, { recursive: true });
for (const name of await readdir(OUT))
  if (!KEPT.includes(name)) await rm(new URL(name, `file://${OUT}/`), { recursive: true });
await build({ ...shared, entryPoints: [`${sources}explorer.js`, `${sources}explorer.css`], format: "iife" });
await build({ ...shared, entryPoints: [`${sources}worker.js`], format: "esm" });
await copyFile(`${LIBRARY}dist/${RUNTIME}`, `${OUT}/${RUNTIME}`);
const licences = ["NOTICE.txt", "node_modules/@huggingface/tokenizers/LICENSE"].map((name) => new URL(name, import.meta.url));
await writeFile(`${OUT}/LICENSES.txt`, (await Promise.all(licences.map((path) => readFile(path, "utf-8")))).join(""));

const made = (await readdir(OUT)).filter((name) => !KEPT.includes(name)).sort();
const sums = await Promise.all(
  made.map(
    async (name) =>
      `${createHash("sha256")
        .update(await readFile(`${OUT}/${name}`))
        .digest("hex")}  ${name}\n`,
  ),
);
await writeFile(`${OUT}/SHA256SUMS`, sums.join(""));
console.log(`wrote ${[...made, "SHA256SUMS"].join(", ")}`);
