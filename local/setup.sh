#!/usr/bin/env bash
# Makes .venv and node_modules in this checkout. Does nothing when the lock files are as at the last run.
set -euo pipefail
cd "$(dirname "$0")/.."

find_python() {
  local candidate
  for candidate in python3.13 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 python3 python; do
    if command -v "$candidate" >/dev/null 2>&1 &&
      "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

stamp() { cat "$@" | cksum; }

if [[ ! -f .venv/.stamp || "$(stamp requirements.txt requirements-dev.txt)" != "$(cat .venv/.stamp)" ]]; then
  python=$(find_python) || {
    echo "Python 3.13 (with venv) was not found: install it, for example with 'pyenv install 3.13' or your system's packages, and run this again." >&2
    exit 1
  }
  echo "Setting up .venv with $("$python" --version) ..."
  rm -rf .venv
  "$python" -m venv .venv
  # Apart: what is deployed is checked by its hashes, and pip wants all or none in one call.
  .venv/bin/python -m pip install -qq --disable-pip-version-check -r requirements.txt
  .venv/bin/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
  stamp requirements.txt requirements-dev.txt >.venv/.stamp
fi

if [[ ! -f node_modules/.stamp || "$(stamp package-lock.json)" != "$(cat node_modules/.stamp)" ]]; then
  if ! command -v npm >/dev/null 2>&1 || ! node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)'; then
    echo "Node.js 20 or newer (with npm) was not found: install it and run this again; the storage emulator Azurite needs it." >&2
    exit 1
  fi
  echo "Setting up node_modules (the storage emulator) ..."
  npm ci --silent --no-fund --no-audit --ignore-scripts
  stamp package-lock.json >node_modules/.stamp
fi
