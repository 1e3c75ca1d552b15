// The size of the wasm file, raw and as a server would send it. In: FILE RAW_BUDGET BROTLI_BUDGET, bytes. Exit 1 over budget.
import { readFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";

const [file, ...budgets] = process.argv.slice(2);
const bytes = readFileSync(file);
const brotli = brotliCompressSync(bytes, {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
});
const sizes = { raw: bytes.length, brotli: brotli.length };
for (const [index, [name, size]] of Object.entries(sizes).entries()) {
  const budget = Number(budgets[index]);
  const mb = (n) => (n / 1e6).toFixed(2) + " MB";
  console.log(`wasm ${name}: ${mb(size)} of ${mb(budget)}`);
  if (!(size <= budget)) {
    console.error(`wasm ${name} is over its budget (wasm-pack.toml, [size-budget]): ${size} > ${budget} bytes`);
    process.exitCode = 1;
  }
}
