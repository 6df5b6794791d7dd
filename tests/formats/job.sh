#!/usr/bin/env bash
# Runs what a job runs, as GitHub and cron would: the step of action.yml and the nightly example.
# job.sh PROGRAM WORK
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1
work=$2
fail() { echo "job: $*" >&2; exit 1; }

mkdir -p "$work/shop"
cd "$work"
echo 'RAILWAY_TOKEN=0f8fad5b-d9cb-469f-a165-70867728950e' >shop/.env
step() { # step FAIL_ON BASELINE ARGUMENTS
  rm -f output summary
  touch output summary
  PROGRAM=$program GITHUB_ACTION_PATH=$here/../.. GITHUB_OUTPUT=$work/output GITHUB_STEP_SUMMARY=$work/summary \
    IN_PATHS=shop IN_CONFIG= IN_FAIL_ON=$1 IN_BASELINE=$2 IN_OUTPUT=report IN_HOME=false IN_ARGUMENTS=$3 \
    bash "$here/../../scripts/action" >told 2>&1
}
code=0
step slowed-no-recovery,critical '' $'--no-env\n--format\ngitlab' || code=$?
[ "$code" = 3 ] || [ "$code" = 1 ] || fail "the step ended with $code: $(cat told)"
grep -qx "exit-code=$code" output || fail "the step gave no exit code"
[ -s "$(sed -n 's/^sarif=//p' output)" ] && [ -s report/gl-code-quality.json ] || fail "the step wrote no report"
[ -s summary ] || fail "the summary of the step is empty"
cp report/assessment.json baseline.json
again=0
step slowed-no-recovery,critical baseline.json --no-env || again=$?
[ "$again" = 3 ] || [ "$again" = 0 ] || fail "what was there before failed the step: $(cat told)"
# What a workflow gives is data.
step 'nothing; touch here' '' --no-env && fail "a wrong limit passed"
[ ! -e here ] || fail "what a workflow gave was run"

mkdir -p home
nightly() { HOME=$work/home DEADSTOP=$program bash "$here/../../docs/examples/nightly" "$work/kept"; }
(cd shop && nightly >../told 2>&1) || [ "$?" = 3 ] || [ "$?" = 1 ] || fail "the nightly example: $(cat told)"
[ -s "$(find kept -name assessment.json)" ] || fail "the nightly example kept nothing"
cp "kept/$(date -u +%Y-%m-%d)/assessment.json" kept/baseline.json
mv "kept/$(date -u +%Y-%m-%d)" kept/2026-01-01
touch kept/2026-01-01
(cd shop && nightly >../told 2>&1) || [ "$?" = 3 ] || fail "the nightly example fails for what it knew: $(cat told)"
[ "$(find kept -mindepth 2 -name assessment.json | wc -l)" = 2 ] || fail "the nightly example kept one report of two"
