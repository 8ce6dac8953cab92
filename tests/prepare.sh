#!/usr/bin/env bash
# The tests use programs that no Python package brings: a Chromium, a redis-server and a pdflatex.
# Installs Debian's where that is allowed; otherwise says what is missing, and fails.
set -eu

packages=()
if [ -z "${LOSSBOARD_CHROMIUM:-}" ] && ! command -v chromium chromium-browser google-chrome >/dev/null; then
    packages+=(chromium)
fi
command -v redis-server >/dev/null || packages+=(redis-server)
command -v pdflatex >/dev/null || packages+=(texlive-latex-recommended)
[ ${#packages[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "installing for the tests: ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${packages[@]}"
    exit 0
fi

echo "the tests need: ${packages[*]}" >&2
echo "install them (Debian, Ubuntu: sudo apt-get install ${packages[*]}; macOS: brew install redis" >&2
echo "and mactex-no-gui, and LOSSBOARD_CHROMIUM=/path/to/a/chrome for the browser), then run this again" >&2
exit 1
