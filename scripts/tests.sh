# shellcheck shell=bash
# The steps of `./dev test` and `./dev lint`, cheapest first. Each is one function that also fails alone.

# A CI run must use exactly the committed lock file; at a desk, adding a dependency is no failure.
if [ -n "${CI:-}" ]; then LOCKED=--locked; else LOCKED=""; fi

test_format() { cargo fmt --all -- --check; }

# tidy.rs reads the tree with the standard library alone, so it is compiled by itself, in a second: `cargo test --test tidy` would build Burn first.
test_tidy() {
  mkdir -p "$CARGO_NATIVE_DIR"
  CARGO_MANIFEST_DIR=$ROOT rustc --edition 2024 --test tests/tidy.rs -o "$CARGO_NATIVE_DIR/tidy"
  "$CARGO_NATIVE_DIR/tidy"
}

test_clippy_native() { cargo_native clippy $LOCKED --all-targets -- -D warnings; }
test_clippy_wasm() {
  wasm_crate build clippy $LOCKED -- -D warnings
  wasm_crate readers clippy $LOCKED -- -D warnings
}
test_docs() { RUSTDOCFLAGS="-D warnings" cargo_native doc $LOCKED --no-deps; }
test_native() { cargo_native test $LOCKED; }
# Other people's programs read what we write, where they are installed: the script says SKIPPED where they are not.
test_readers() {
  have "${ONESLICE_PYTHON:-python3}" || { say "SKIPPED tests/export/check.py: there is no Python" && return; }
  cargo_native build $LOCKED --bin oneslice
  "${ONESLICE_PYTHON:-python3}" tests/export/check.py "$CARGO_NATIVE_DIR/debug/oneslice"
}
test_wgpu() {
  ONESLICE_WGPU=1 cargo_native test $LOCKED --test kernels --test wgpu --test device_memory
  ONESLICE_WGPU=1 cargo_native test $LOCKED --test lpips graphics_card
}

# The page's own scripts (www/package.json) check its types first.
test_page_units() { npm --prefix www --silent test; }
# The page's result is compared with the binary's.
test_browser() {
  cargo_native build $LOCKED --bin oneslice
  ONESLICE_CLI=$CARGO_NATIVE_DIR/debug/oneslice npm --prefix www --silent run e2e -- --output "$CACHE/playwright"
}

lint_steps() {
  step "formatting" test_format
  step "house invariants (tidy)" test_tidy
  step "clippy, native" test_clippy_native
  step "clippy, wasm32" test_clippy_wasm
  step "documentation" test_docs
}

# Only on demand: it takes five minutes and an environment of 2.5 GB.
test_training() { ONESLICE_CACHE=$CACHE sh weights/train/sam2/run.sh smoke.py; }

cmd_lint() {
  step "set up" setup_build
  use_rust
  lint_steps
  summary 0
}

cmd_test() {
  # The tests run in the crate's folder, so a path relative to the caller's has to be made absolute.
  if [ -n "${ONESLICE_REFERENCE:-}" ]; then
    ONESLICE_REFERENCE=$(cd "$HERE" && cd "$ONESLICE_REFERENCE" && pwd) || die "ONESLICE_REFERENCE is no directory"
    export ONESLICE_REFERENCE
  fi
  step "set up" setup_all
  # The step ran in a shell of its own: choose the same again here, now that everything is there.
  use_rust
  find_browser
  find_vulkan
  lint_steps
  step "native tests, CPU" test_native
  step "files read by other programs" test_readers
  step "web build and its size" build_wasm
  step "native tests, GPU (Vulkan)" test_wgpu
  step "page: types and build" build_page
  step "page: unit tests" test_page_units
  step "page: in Chromium" test_browser
  if [ -n "${ONESLICE_TRAIN:-}" ]; then
    step "training, five minutes of it" test_training
  else
    say "SKIPPED: training, five minutes of it (ONESLICE_TRAIN is not set)"
  fi
  summary 0
}

setup_all() {
  setup_build
  setup_test
}
