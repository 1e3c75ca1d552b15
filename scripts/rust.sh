# shellcheck shell=bash
# One Rust toolchain for everything: native, web, clippy, docs. It must be new enough and able to build for wasm32.
# In order: one that this cache was built with; the one on PATH; that one after `rustup target add`; Debian's, with a
# standard library for wasm32 that we build ourselves. Switching compilers rebuilds the world, hence the first rule.

WASM=wasm32-unknown-unknown
RUST_MIN=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
DEBIAN_BIN=$TOOLS/debian-rust
WASM_SYSROOT="" # empty: the toolchain's own

# Cargo tells this crate in one clone from the same in another by the times of its files alone: two clones that share the
# cache could run each other's tests. When another clone was here last, the crate (not what it depends on) is built anew.
claim() {
  if [ "$(cat "$1/.clone" 2>/dev/null)" = "$ROOT" ]; then return 0; fi
  mkdir -p "$1"
  find "$1" -maxdepth 4 -type d -path '*/.fingerprint/oneslice-*' -prune -exec rm -rf {} +
  printf '%s\n' "$ROOT" >"$1/.clone"
}

cargo_native() {
  claim "$CARGO_NATIVE_DIR"
  CARGO_TARGET_DIR=$CARGO_NATIVE_DIR cargo "$@"
}

# RUSTFLAGS for this one target only, so that build scripts and macros, which run here, are not touched. The general
# variable would silence it.
cargo_wasm() {
  local flags
  claim "$CARGO_WASM_DIR"
  flags=$(setting build rustflags)
  [ -z "$WASM_SYSROOT" ] || flags="$flags --sysroot $WASM_SYSROOT"
  env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR="$CARGO_WASM_DIR" \
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="$flags" cargo "$@"
}

# The toolchain on PATH: new enough? with a wasm32 standard library?
path_rust_is_new() {
  have rustc && have cargo && version_at_least "$(rustc --version | awk '{ print $2 }')" "$RUST_MIN"
}
path_rust_has_wasm() {
  local libs
  libs=$(rustc --print target-libdir --target $WASM 2>/dev/null) && [ -n "$(find "$libs" -name 'libstd-*.rlib' 2>/dev/null)" ]
}
path_rust_has_tools() { cargo clippy --version >/dev/null 2>&1 && cargo fmt --version >/dev/null 2>&1; }

use_path_rust() { path_rust_is_new && path_rust_has_tools && path_rust_has_wasm; }

# Debian's compiler under its own name, first on PATH; only these names, so that nothing else of /usr/bin overtakes.
use_debian_rust() {
  local sysroot
  debian_rust_is_new && sysroot=$(debian_sysroot) && [ -f "$sysroot/complete" ] || return 1
  mkdir -p "$DEBIAN_BIN"
  for name in cargo rustc rustdoc rustfmt cargo-clippy clippy-driver cargo-fmt; do
    [ -x /usr/bin/$name ] || return 1
    ln -sf /usr/bin/$name "$DEBIAN_BIN/$name"
  done
  case $PATH in "$DEBIAN_BIN":*) ;; *) export PATH="$DEBIAN_BIN:$PATH" ;; esac
  WASM_SYSROOT=$sysroot
}
debian_rust_is_new() { [ -x /usr/bin/rustc ] && version_at_least "$(/usr/bin/rustc --version | awk '{ print $2 }')" "$RUST_MIN"; }
# A standard library fits one exact compiler: the commit is part of the name.
debian_sysroot() {
  /usr/bin/rustc -vV | awk -v dir="$CACHE/sysroot" '/^commit-hash/ { c = substr($2, 1, 9) } /^release/ { r = $2 } END { print dir "/" r "-" c }'
}

# use_rust: choose among what is ready, install nothing. Run it in the main shell: it sets PATH.
use_rust() {
  # A fresh rustup is not on PATH before the next login.
  if ! have cargo && [ -x "$HOME/.cargo/bin/cargo" ]; then export PATH="$HOME/.cargo/bin:$PATH"; fi
  case ${ONESLICE_RUST:-} in
    path) use_path_rust ;;
    system) use_debian_rust ;;
    "") use_debian_rust || use_path_rust ;;
    *) die "ONESLICE_RUST is '$ONESLICE_RUST': path or system" ;;
  esac
}

ensure_rust() {
  if ! use_rust && [ "${ONESLICE_RUST:-}" != system ]; then install_with_rustup; fi
  if ! use_rust && [ "${ONESLICE_RUST:-}" != path ]; then install_with_apt; fi
  use_rust || die "missing: Rust $RUST_MIN or newer with clippy, rustfmt and the target $WASM. Install it from https://rustup.rs, then
  rustup toolchain install stable && rustup component add clippy rustfmt && rustup target add $WASM"
  say "$(rustc --version)"
}

# Quiet and limited: where rustup can't reach its server, Debian's packages are the way, and nobody wants its retries.
install_with_rustup() {
  if ! have cargo && ! have rustup && have curl; then
    say "no Rust here: trying rustup"
    with_limit 600 sh -c "curl --proto '=https' --tlsv1.2 -sSf --connect-timeout 10 https://sh.rustup.rs | sh -s -- -y -q --profile minimal" >/dev/null 2>&1 || return 0
    use_rust || true # finds the new ~/.cargo/bin
  fi
  have rustup || return 0
  if ! path_rust_is_new; then
    say "Rust on PATH is older than $RUST_MIN: leaving it as it is; 'rustup update stable' would make it the one used"
    return 0
  fi
  say "rustup: adding $WASM, clippy and rustfmt"
  if ! { with_limit 180 rustup target add $WASM && with_limit 180 rustup component add clippy rustfmt; } >/dev/null 2>&1; then
    say "rustup could not fetch them"
  fi
}

# Debian's rustc-web follows the newest browsers, so it is far newer than its rustc.
install_with_apt() {
  has_apt || return 0
  if ! apt-cache show rustc-web >/dev/null 2>&1; then
    as_root apt-get update -qq || return 0
    apt-cache show rustc-web >/dev/null 2>&1 || return 0
  fi
  apt_install rustc-web cargo-web rust-web-src rust-web-llvm rust-web-clippy rustfmt-web "$(debian_linker_package)"
  debian_rust_is_new || die "Debian's rustc-web is older than Rust $RUST_MIN"
  build_wasm_sysroot
}

# /usr/bin/rust-lld is a link to the lld of the LLVM that rust-web-llvm depends on, but that package doesn't ask for it.
debian_linker_package() {
  local llvm
  llvm=$(apt-cache depends rust-web-llvm | sed -n 's/.*Depends: llvm-\([0-9]*\)$/\1/p' | head -n 1)
  [ -n "$llvm" ] || die "can't tell which lld Debian's rust-web-llvm needs: its packages have changed"
  printf 'lld-%s' "$llvm"
}

# A sysroot of links to /usr's with our own wasm32 libraries in it: nothing is written to /usr.
build_wasm_sysroot() {
  local sysroot work part
  sysroot=$(debian_sysroot)
  [ ! -f "$sysroot/complete" ] || return 0
  say "building Rust's standard library for $WASM (once, about a minute)"
  work=$CACHE/sysroot/build
  rm -rf "$work" "$sysroot"
  mkdir -p "$work/std/src" "$sysroot/lib/rustlib/$WASM/lib"
  printf '[package]\nname = "stdonly"\nversion = "0.1.0"\nedition = "2024"\n[workspace]\n' >"$work/std/Cargo.toml"
  : >"$work/std/src/lib.rs"
  # RUSTC_BOOTSTRAP: -Zbuild-std is asked of a stable compiler, which is the one that has to match.
  (cd "$work/std" && env -u RUSTUP_TOOLCHAIN RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc CARGO_TARGET_DIR="$work/target" \
    /usr/bin/cargo build --quiet --release --target $WASM -Zbuild-std=std,panic_abort)
  for part in "$work/target/$WASM/release/deps/"*.rlib; do
    case $part in */libstdonly-*) ;; *) cp "$part" "$sysroot/lib/rustlib/$WASM/lib/" ;; esac
  done
  for part in /usr/lib/rustlib/*; do
    case $part in */"$WASM") ;; *) ln -s "$part" "$sysroot/lib/rustlib/${part##*/}" ;; esac
  done
  rm -rf "$work"
  : >"$sysroot/complete"
}
