#!/usr/bin/env bash
# Holds what `report` writes to the public schemas and validators, and each validator to a broken file: one that cannot
# fail proves nothing.
# validate.sh PROGRAM VALIDATORS WORK
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1
tools=$2
work=$3
multitool=$tools/node_modules/@microsoft/sarif-multitool-linux
bin=$tools/python/bin

fail() { echo "formats: $*" >&2; exit 1; }

sarif_schema() { "$bin/check-jsonschema" --schemafile "$multitool/sarif-2.1.0.json" "$@" >/dev/null 2>&1; }
# The tool ends with 0 whatever it finds, so its own report is read. SARIF2005 asks for an address of the project on the
# web, which this version does not state; notes are advice.
sarif_rules() {
  rm -f "$work/verdict.sarif"
  DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 "$multitool/Sarif.Multitool" validate "$1" --rule-kind 'Sarif;Ghas' \
    --level 'Error;Warning' --output "$work/verdict.sarif" --log ForceOverwrite >"$work/multitool" 2>&1 || true
  ! grep -q 'Schema validation errors' "$work/multitool" && "$bin/python" - "$work/verdict.sarif" <<'PY'
import json, sys
with open(sys.argv[1], encoding="utf-8-sig") as file:
    run = json.load(file)["runs"][0]
bad = [r for r in run.get("results", []) if r.get("level", "warning") in ("error", "warning") and r["ruleId"] != "SARIF2005"]
for result in bad:
    print(result["ruleId"], result["message"], file=sys.stderr)
sys.exit(bool(bad))
PY
}
sarif_reads() { "$bin/sarif" summary "$1" >/dev/null 2>&1; }
junit_schema() { "$bin/xmlschema-validate" --schema "$tools/junit-10.xsd" "$1" >/dev/null 2>&1; }
gitlab_schema() { "$bin/check-jsonschema" --schemafile "$here/gl-code-quality.schema.json" "$1" >/dev/null 2>&1; }
ocsf_schema() { "$bin/python" "$here/read_ocsf.py" "$1" >/dev/null 2>&1; }
oscal_schema() { "$bin/python" "$here/read_oscal.py" "$1" >/dev/null 2>&1; }
csv_reads() { "$bin/python" "$here/read_csv.py" "$1"; }

for sample in sample story empty hostile; do
  out=$work/$sample
  mkdir -p "$out"
  "$program" report "$here/../report/$sample.json" --format sarif,junit,csv,gitlab,ocsf,oscal -o "$out" --quiet
  "$program" report "$here/../report/$sample.json" --format sarif --sarif-flavour standard -o "$out/standard.sarif" --quiet
  for file in deadstop.sarif standard.sarif; do
    sarif_schema "$out/$file" || fail "$sample/$file breaks the schema"
    sarif_rules "$out/$file" || fail "$sample/$file breaks a rule of the validator"
    sarif_reads "$out/$file" || fail "$sample/$file is not read back"
  done
  junit_schema "$out/junit.xml" || fail "$sample/junit.xml breaks the schema"
  gitlab_schema "$out/gl-code-quality.json" || fail "$sample/gl-code-quality.json breaks the schema"
  ocsf_schema "$out/ocsf.jsonl" || fail "$sample/ocsf.jsonl breaks the schema"
  oscal_schema "$out/oscal.json" || fail "$sample/oscal.json breaks the model"
  csv_reads "$out/findings.csv" || fail "$sample/findings.csv is no table"
done

good=$work/sample
sed 's/"version": "2.1.0"/"version": "2.2.0"/' "$good/deadstop.sarif" >"$work/broken.sarif"
sarif_schema "$work/broken.sarif" && fail "the SARIF schema takes anything"
sed 's/"startLine": 1/"startLine": 0/' "$good/deadstop.sarif" >"$work/broken.sarif"
sarif_rules "$work/broken.sarif" 2>/dev/null && fail "the SARIF validator takes anything"
echo '{' >"$work/broken.sarif"
sarif_reads "$work/broken.sarif" && fail "the SARIF reader takes anything"
sed 's/<testcase classname/<testcase clasname/' "$good/junit.xml" >"$work/broken.xml"
junit_schema "$work/broken.xml" && fail "the JUnit schema takes anything"
sed 's/"blocker"/"dreadful"/' "$good/gl-code-quality.json" >"$work/broken.json"
gitlab_schema "$work/broken.json" && fail "the schema of GitLab code quality takes anything"
sed '1s/"status_id":/"status_idd":/' "$good/ocsf.jsonl" >"$work/broken.jsonl"
ocsf_schema "$work/broken.jsonl" && fail "the OCSF schema takes anything"
sed 's/"state": "not-satisfied"/"state": "unknown"/' "$good/oscal.json" >"$work/broken.json"
oscal_schema "$work/broken.json" && fail "the OSCAL model takes anything"
sed '2s/$/,one more/' "$good/findings.csv" >"$work/broken.csv"
csv_reads "$work/broken.csv" 2>/dev/null && fail "the CSV reader takes anything"
root=$here/../..
jobs_fit() {
  "$bin/check-jsonschema" --builtin-schema vendor.github-actions "$1/action.yml" >/dev/null 2>&1 &&
    "$bin/check-jsonschema" --builtin-schema vendor.github-workflows "$1/docs/examples/github.yml" >/dev/null 2>&1 &&
    "$bin/check-jsonschema" --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci \
      "$1/docs/examples/gitlab-ci.yml" >/dev/null 2>&1
}
jobs_fit "$root" || fail "action.yml or an example of a job breaks its schema"
mkdir -p "$work/jobs/docs"
cp -r "$root/docs/examples" "$work/jobs/docs/"
sed 's/using: composite/using: composit/' "$root/action.yml" >"$work/jobs/action.yml"
jobs_fit "$work/jobs" && fail "the schema of actions takes anything"
bash "$here/job.sh" "$program" "$work/job"
echo "formats: passed"
