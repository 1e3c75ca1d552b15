# shellcheck shell=bash
# The web build: crate -> wasm-bindgen -> wasm-opt -> size check -> Vite page. Its settings are wasm-pack.toml's.

# wasm-bindgen's program and its library must be the same version, to the last digit: the lock file says which.
bindgen_version() { awk '/^name = "wasm-bindgen"$/ { getline; gsub(/"/, ""); print $3 }' Cargo.lock; }

ensure_bindgen() {
  local version
  version=$(bindgen_version)
  [ "$("$TOOLS/bin/wasm-bindgen" --version 2>/dev/null)" != "wasm-bindgen $version" ] || return 0
  say "installing wasm-bindgen $version (once, a few minutes)"
  env -u CARGO_TARGET_DIR cargo install --quiet wasm-bindgen-cli --version "$version" --bin wasm-bindgen --root "$TOOLS" --force
}

ensure_wasm_opt() {
  local version
  version=$(setting wasm-opt version)
  [ "$(package_version "$TOOLS/node_modules/binaryen")" != "$version" ] || return 0
  say "installing binaryen $version"
  npm install --silent --no-save --prefix "$TOOLS" "binaryen@$version"
}

# package_version DIR: of an npm package there, or nothing.
package_version() { node -p 'require(process.argv[1] + "/package.json").version' "$1" 2>/dev/null || true; }

# npm ci removes and installs everything: only when the lock file has changed since.
ensure_page_packages() {
  local stamp=www/node_modules/.oneslice-lock
  if ! cmp -s www/package-lock.json "$stamp"; then
    say "installing the page's packages"
    (cd www && npm ci --silent)
    cp www/package-lock.json "$stamp"
  fi
}

setup_build() {
  ensure_base
  ensure_node
  ensure_rust
  ensure_bindgen
  ensure_wasm_opt
  ensure_page_packages
}

setup_test() {
  ensure_browser
  ensure_vulkan
}

# wasm_crate SECTION COMMAND ..: cargo's part of the web build, shared with clippy: the same profile and features, so that build
# scripts and macros are built once.
wasm_crate() {
  local section=$1 command=$2 features profile level
  shift 2
  profile=$(setting build profile)
  features=$(setting "$section" features)
  level=$(setting "$section" opt-level)
  case $level in [0-9]) ;; *) level="\"$level\"" ;; esac # numbers, "s" and "z", as TOML has them
  cargo_wasm "$command" --config "profile.$profile.package.oneslice.opt-level=$level" \
    --lib --target "$WASM" --profile "$profile" --no-default-features \
    ${features:+--features "$features"} "$@"
}

build_wasm() {
  local section files=()
  for section in build readers; do
    build_module $section
    files+=("$(setting $section out-dir)/$(setting $section out-name)_bg.wasm")
  done
  node scripts/size.mjs "$(setting size-budget raw)" "$(setting size-budget brotli)" "${files[@]}"
}

# build_module SECTION: one of the two modules, which cargo writes under the same name.
build_module() {
  local out name raw optimised
  out=$(setting "$1" out-dir)
  name=$(setting "$1" out-name)
  wasm_crate "$1" build
  raw=$CARGO_WASM_DIR/$WASM/$(setting build profile)/oneslice.wasm
  optimised=$out/${name}_bg.wasm
  # wasm-opt takes minutes: only when its input or the settings have changed.
  if [ "$(cat "$out/.built-from" 2>/dev/null)" != "$(build_key "$raw")" ]; then
    rm -rf "$out"
    "$TOOLS/bin/wasm-bindgen" --target "$(setting build target)" --out-dir "$out" --out-name "$name" "$raw"
    optimise "$optimised"
    build_key "$raw" >"$out/.built-from"
  fi
}

build_key() { cat "$1" wasm-pack.toml | cksum; }

optimise() {
  local arguments
  arguments=$(setting wasm-opt arguments)
  say "wasm-opt $arguments"
  # shellcheck disable=SC2086 # a list of words
  "$TOOLS/node_modules/.bin/wasm-opt" $arguments "$1" -o "$1.opt"
  mv "$1.opt" "$1"
}

build_page() {
  ensure_page_packages
  npm --prefix www --silent run build
}

# serve_page PORT OPEN: on this machine only, until interrupted.
serve_page() {
  local port=$1 open=$2 url start=$SECONDS
  port=$(free_port "$port")
  url=http://127.0.0.1:$port/
  (cd www && exec npx --no-install vite preview --host 127.0.0.1 --port "$port" --strictPort) >"$CACHE/demo.log" 2>&1 &
  SERVER=$!
  trap 'kill "$SERVER" 2>/dev/null || true' EXIT
  trap 'exit 0' INT TERM
  until curl --silent --fail --output /dev/null --max-time 5 "$url"; do
    kill -0 "$SERVER" 2>/dev/null || die "the server stopped: $(cat "$CACHE/demo.log")"
    [ $((SECONDS - start)) -lt 60 ] || die "the server does not answer: $(cat "$CACHE/demo.log")"
    sleep 0.3
  done
  printf '\n  OneSlice is at %s   (Ctrl-C stops it)\n\n' "$url"
  [ "$open" = no ] || open_browser "$url"
  wait "$SERVER"
}

# The first port from this one on that nobody listens on.
free_port() {
  node -e '
    const tryPort = (port) => {
      if (port > 65535) process.exit(1);
      const server = require("net").createServer();
      server.on("error", () => tryPort(port + 1));
      server.listen(port, "127.0.0.1", () => server.close(() => console.log(port)));
    };
    tryPort(Number(process.argv[1]));' "$1" || die "no free port from $1 on"
}

# A convenience: no browser, or no screen, is no error.
open_browser() {
  local opener
  for opener in open xdg-open; do
    if have $opener; then
      $opener "$1" >/dev/null 2>&1 || true
      return 0
    fi
  done
}
