# shellcheck shell=bash
# System packages: installs what is missing with apt or Homebrew, or says exactly what to install.

NODE_MIN=20

# install_packages PACKAGE...: Debian's names. `--no-remove`: never take away something the user put there.
apt_install() {
  local package missing=""
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  say "installing$missing"
  # shellcheck disable=SC2086 # a list of words
  {
    as_root apt-get update -qq &&
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --no-remove $missing </dev/null >/dev/null
  } || die "could not install$missing: install them by hand (apt-get install$missing), then run this again"
}

brew_install() {
  have brew || die "missing: $*. Install Homebrew (https://brew.sh), or those packages by hand, then run this again"
  say "installing $*"
  HOMEBREW_NO_AUTO_UPDATE=1 brew install "$@" || die "could not install $*: install it by hand, then run this again"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif have sudo; then
    # A CI machine has nobody to type a password: fail instead of waiting.
    if [ -t 0 ]; then sudo "$@"; else sudo -n "$@"; fi
  else
    say "this needs root and there is no sudo: $*" >&2
    return 1
  fi
}

is_mac() { [ "$(uname -s)" = Darwin ]; }
has_apt() { have apt-get && have dpkg-query; }

# The compiler that Rust links with, and the tools that fetch things.
ensure_base() {
  if is_mac; then
    xcode-select -p >/dev/null 2>&1 || die "missing: Apple's command line tools. Run 'xcode-select --install', then this again"
  elif ! have cc || ! have git || ! have curl; then
    has_apt || die "missing: one of a C compiler (cc), git, curl. Install them, then run this again"
    apt_install build-essential git curl ca-certificates
  fi
}

node_is_good() { have node && have npm && [ "$(node -p 'parseInt(process.versions.node)')" -ge $NODE_MIN ]; }

ensure_node() {
  ! node_is_good || return 0
  if is_mac; then
    brew_install node
  elif has_apt && ! have node; then
    apt_install nodejs npm
  fi
  node_is_good || die "missing: Node.js $NODE_MIN or newer with npm (found: $(node --version 2>/dev/null || echo none)). Install it from https://nodejs.org, then run this again"
}

# Sets ONESLICE_CHROMIUM, which the browser tests read.
find_browser() {
  local candidate
  for candidate in "${ONESLICE_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Chromium.app/Contents/MacOS/Chromium" "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
    # `--version` really starts it: Ubuntu's chromium-browser without its snap is only a message.
    if [ -n "$candidate" ] && have "$candidate" && with_limit 30 "$candidate" --version >/dev/null 2>&1; then
      ONESLICE_CHROMIUM=$(command -v "$candidate")
      export ONESLICE_CHROMIUM
      return 0
    fi
  done
  return 1
}

ensure_browser() {
  ! find_browser || return 0
  if is_mac; then
    brew_install --cask google-chrome
  elif has_apt; then
    apt_install chromium
  fi
  find_browser || die "missing: Chromium or Chrome for the browser tests. Install one, or name it in ONESLICE_CHROMIUM, then run this again"
}

# Sets VK_DRIVER_FILES to Mesa's lavapipe, a Vulkan on the CPU: the same GPU for every machine's tests. macOS tests on Metal.
find_vulkan() {
  local driver
  is_mac && return 0
  for driver in /usr/share/vulkan/icd.d/lvp_icd*.json; do
    if [ -f "$driver" ]; then
      export VK_DRIVER_FILES=$driver
      return 0
    fi
  done
  return 1
}

ensure_vulkan() {
  if ! is_mac && has_apt; then apt_install mesa-vulkan-drivers libvulkan1; fi
  find_vulkan || die "missing: a software Vulkan for the GPU tests. Install Mesa's lavapipe (mesa-vulkan-drivers) and the Vulkan loader (libvulkan1), then run this again"
}
