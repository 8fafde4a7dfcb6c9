#!/bin/sh
# make client: a typed Python client of the HTTP service (httpx, attrs), generated from its OpenAPI schema.
# The generator wants other versions than constraints.txt has, so it gets an environment of its own. Needs a network once.
set -eu

python=$1 out=$2
generator=$out/generator
mkdir -p "$out"
if [ ! -x "$generator/bin/openapi-python-client" ]; then
  "$python" -m venv "$generator"
  "$generator/bin/pip" install --quiet openapi-python-client==0.29.1
fi
"$python" -c 'import json; from serving.app import create_app; print(json.dumps(create_app().openapi()))' >"$out/openapi.json"
PATH="$generator/bin:$PATH" "$generator/bin/openapi-python-client" generate \
  --path "$out/openapi.json" --output-path "$out/tsur_client" --overwrite --meta none
echo "$out/tsur_client"
