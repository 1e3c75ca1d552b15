# shellcheck shell=bash
# `./dev bench`: the parts of a slice, side by side with other engines. `./dev bench accuracy`: what packed weights cost.
# In: the common set-up.  Out: $CACHE/bench: models, lines of JSON, and the tables, which are also printed.

# bench_slices MODELS SIZES RUNS: lists with commas.
bench_slices() {
  local models=$1 sizes=$2 runs=$3 dir=$CACHE/bench lines model size
  lines=$dir/lines.jsonl
  mkdir -p "$dir/models"
  rm -f "$lines"
  bench_python
  for model in ${models//,/ }; do
    # shellcheck disable=SC2086
    bench_in_python export.py "$dir/models" "$model" ${sizes//,/ }
  done
  cargo_native build --release --bin oneslice
  for model in ${models//,/ }; do bench_pack "$dir/models" "$model"; done
  bench_web "$dir" --models "$models" --sizes "$sizes" --runs "$runs" --out "$lines"
  for model in ${models//,/ }; do
    for size in ${sizes//,/ }; do bench_native "$dir/models" "$model" "$size" "$runs" >>"$lines"; done
    # shellcheck disable=SC2086
    bench_in_python torch_times.py "$model" "$runs" ${sizes//,/ } >>"$lines"
  done
  node benches/report.mjs "$lines" "$dir/models" | tee "$dir/report.md"
  say "the lines are in $lines, the tables in $dir/report.md"
}

# PyTorch and Meta's code, as the goldens have them, and what writes ONNX.
bench_python() {
  require_command python3 "Python 3.11 to 3.13 with venv"
  BENCH_PYTHON=$(ONESLICE_CACHE=$CACHE sh tests/golden/setup.sh)
  "$BENCH_PYTHON" -m pip install -q --disable-pip-version-check --no-deps -r benches/reference/requirements.lock.txt
}

bench_in_python() {
  local script=$1
  shift
  PYTHONDONTWRITEBYTECODE=1 OMP_WAIT_POLICY=PASSIVE "$BENCH_PYTHON" "benches/reference/$script" "$@"
}

bench_pack() {
  local dir=$1 model=$2 bits
  for bits in 8 4; do
    "$CARGO_NATIVE_DIR/release/oneslice" weights quantize "$dir/$model.safetensors" --bits $bits \
      --out "$dir/$model.int$bits.safetensors"
  done
}

# In Chromium, against onnxruntime-web. The wasm has the shipped one's settings and the feature `bench`.
bench_web() {
  local dir=$1 raw
  shift
  ensure_browser
  npm --prefix benches/web ci --silent --no-fund --no-audit
  wasm_crate build build --features bench
  raw=$CARGO_WASM_DIR/$WASM/$(setting build profile)/oneslice.wasm
  rm -rf "$dir/pkg"
  "$TOOLS/bin/wasm-bindgen" --target "$(setting build target)" --out-dir "$dir/pkg" --out-name oneslice "$raw"
  optimise "$dir/pkg/oneslice_bg.wasm"
  node benches/web/bench.mjs --models-dir "$dir/models" --pkg "$dir/pkg" "$@"
}

# Natively, against Burn's own operations: on the processor, and on the graphics card or what plays one.
bench_native() {
  local dir=$1 model=$2 size=$3 runs=$4 device bits file
  for device in cpu gpu; do
    for bits in f32 int8 int4; do
      file=$dir/$model.$bits.safetensors kernels=ours
      [ $bits != f32 ] || { file=$dir/$model.safetensors kernels=ours,stock; }
      cargo_native bench --quiet --bench slice -- --model "$file" --weights $bits --size "$size" --device $device \
        --kernels $kernels --runs "$runs" || say "$device, $bits: not measured (see above)"
    done
  done
}

# bench_accuracy DATA [ARGS]: the tables of benches/accuracy.rs. Nothing is timed, so the tests' build will do, which is there.
bench_accuracy() {
  local data dir=$CACHE/bench
  data=$(cd "$HERE" && cd "$1" && pwd) || die "bench accuracy: '$1' is no directory"
  shift
  mkdir -p "$dir"
  bench_python
  "$BENCH_PYTHON" benches/accuracy_cases.py "$data" "$dir/cases"
  cargo_native bench --profile dev --bench accuracy -- "$dir/cases" "$@" | tee "$dir/accuracy.md"
  say "the tables are in $dir/accuracy.md"
}
