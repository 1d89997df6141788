#!/usr/bin/env bash
# A step of action.yml: installs resphere, from the lock, into a folder of the job's.
set -euo pipefail
environment="$RUNNER_TEMP/resphere-python"
"${ACTION_PYTHON:-python3}" -m venv "$environment"
pip=("$environment/bin/python" -m pip --disable-pip-version-check --no-input --quiet install --no-compile)
"${pip[@]}" --require-hashes --requirement "$ACTION_FOLDER/requirements/run.txt" \
    --requirement "$ACTION_FOLDER/requirements/build.txt"
"${pip[@]}" --no-deps --no-build-isolation "$ACTION_FOLDER"
echo "$environment/bin" >> "$GITHUB_PATH"
