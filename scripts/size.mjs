// The size of wasm files, raw and as a server would send them. In: RAW_BUDGET BROTLI_BUDGET FILE.., bytes. Exit 1 over budget.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const [rawBudget, brotliBudget, ...files] = process.argv.slice(2);
const budgets = { raw: Number(rawBudget), brotli: Number(brotliBudget) };
const total = { raw: 0, brotli: 0 };
const mb = (n) => (n / 1e6).toFixed(3) + " MB";
for (const file of files) {
  const bytes = readFileSync(file);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const brotli = brotliCompressSync(bytes, { params }).length;
  total.raw += bytes.length;
  total.brotli += brotli;
  console.log(`${basename(file)}: ${mb(bytes.length)}, brotli ${mb(brotli)}`);
}
for (const [name, size] of Object.entries(total)) {
  console.log(`wasm ${name}: ${mb(size)} of ${mb(budgets[name])}`);
  if (!(size <= budgets[name])) {
    console.error(`wasm ${name} is over its budget (wasm-pack.toml, [size-budget]): ${size} > ${budgets[name]} bytes`);
    process.exitCode = 1;
  }
}
