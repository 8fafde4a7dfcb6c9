#!/bin/sh
# Starts the MLflow tracking server on this checkout's runs and registry. See README.md beside it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
checkout=$(dirname "$here")

# keep what the caller has set: only fill in what is missing
while IFS='=' read -r name value; do
  case "$name" in '' | '#'*) continue ;; esac
  eval "is_set=\${$name+yes}"
  [ "${is_set:-}" = yes ] || export "$name=$value"
done <"$here/server.env"

home=${TSUR_HOME:-$checkout/var}
mkdir -p "$home/mlflow/artifacts"
home=$(cd "$home" && pwd)

python=$checkout/.venv/bin/python
[ -x "$python" ] || python=python3

# from the state folder: in the checkout, `mlflow` is also the name of a folder
cd "$home"
exec "$python" -m mlflow server \
  --backend-store-uri "${TSUR_TRACKING_URI:-sqlite:///$home/mlflow/mlflow.db}" \
  --artifacts-destination "$home/mlflow/artifacts" \
  --host "$MLFLOW_HOST" --port "$MLFLOW_PORT" --allowed-hosts "$MLFLOW_SERVER_ALLOWED_HOSTS" --workers 1
