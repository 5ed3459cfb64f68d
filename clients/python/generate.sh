#!/usr/bin/env bash
# Makes riskgate/models.py from the description of the API. Needs datamodel-code-generator on the PATH.
set -euo pipefail
cd "$(dirname "$0")"
datamodel-codegen --input ../../openapi/openapi.json --input-file-type openapi --output riskgate/models.py \
  --output-model-type pydantic_v2.BaseModel --target-python-version 3.10 --use-annotated --use-union-operator \
  --no-use-standard-collections --enum-field-as-literal all --disable-timestamp --formatters builtin \
  --openapi-scopes schemas
