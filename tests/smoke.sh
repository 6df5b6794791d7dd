#!/usr/bin/env bash
# Uses the program as its users do: a newcomer, a reviewer, a CI job, and someone who scans a hostile repository.
# smoke.sh PROGRAM FOLDER
set -euo pipefail
program=$1
work=$2

fail() { echo "smoke: $*" >&2; exit 1; }
# expect CODE COMMAND...: runs it, keeps its output in $work/out and $work/err, and checks the exit code.
expect() {
  local wanted=$1 got=0
  shift
  "$@" >"$work/out" 2>"$work/err" || got=$?
  [ "$got" = "$wanted" ] || { cat "$work/out" "$work/err" >&2; fail "exit $got instead of $wanted: $*"; }
}
says() { grep -qF -- "$1" "$work/out" || { cat "$work/out" >&2; fail "does not say: $1"; }; }

cd "$work"

# A newcomer with no accounts.
expect 0 "$program" demo -o demo
says "Nothing, for"
says "Report: demo/report.html"
says "Nothing left this machine."
for file in report.html assessment.json facts.json summary.md deadstop.sarif junit.xml manifest.json calls.jsonl .gitignore; do
  [ -f "demo/$file" ] || fail "demo/$file is missing"
done
[ "$(stat -c %a demo)" = 700 ] || fail "the report folder is not private"
expect 0 "$program" demo --list
for world in pocketos terraform-destroy code-freeze own-role hardened; do
  says "$world"
  expect 0 "$program" demo "$world" -o "demo-$world"
  expect 0 "$program" demo --list
done
expect 2 "$program" demo atlantis -o none
expect 1 "$program" demo --fail-on nothing -o demo2
cmp demo/assessment.json demo2/assessment.json || fail "the same world gave other bytes"
expect 0 "$program" demo --with-fix F1 -o demo3
says "shown with this done"
plan=$(sed -n '/"minimal": \[/,/\]/p' demo/assessment.json | grep -o 'F[0-9]*')
# shellcheck disable=SC2046
expect 0 "$program" demo $(printf -- '--with-fix %s ' $plan) -o demo4
says "It stops, for all"
expect 2 "$program" demo --with-fix nope -o demo5

# A reviewer, with a home in which things lie about.
mkdir -p home/.aws home/.railway home/.config/gh home/code/shop/deploy home/.kube
key=AKIA$(head -c 400 /dev/urandom | tr -dc A-Z2-7 | head -c 16)
secret=$(head -c 4000 /dev/urandom | tr -dc A-Za-z0-9 | head -c 40)
token=$(cat /proc/sys/kernel/random/uuid)
password=$(head -c 4000 /dev/urandom | tr -dc A-Za-z0-9 | head -c 24)
printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$key" "$secret" >home/.aws/credentials
printf 'RAILWAY_API_TOKEN=%s\n' "$token" >home/code/shop/deploy/.env
printf 'export DATABASE_URL="postgres://app:%s@db.internal.example:5432/shop"\n' "$password" >home/code/shop/.env
printf '%s\n' .env >home/code/shop/.gitignore
expect 3 env -i PATH="$PATH" HOME="$work/home" "$program" run home/code/shop --home home -o run
says "that we could read"
grep -q "$key" run/assessment.json || fail "the access key id is not listed"
grep -q '.env' run/assessment.json || fail "a file that git ignores was not read"
grep -q 'db.internal.example:5432/shop' run/assessment.json || fail "the database of the URL is no asset"
for hidden in "$secret" "$token" "$password"; do
  for file in run/* "$work/out" "$work/err"; do
    if grep -qF -- "${hidden:4:12}" "$file"; then fail "a part of a secret is in $file"; fi
  done
done
expect 0 env -i PATH="$PATH" HOME="$work/home" "$program" credentials home/code/shop --home home
says "$key"
says "DATABASE_URL"
expect 0 env -i PATH="$PATH" HOME="$work/home" "$program" credentials home/code/shop --home home --format json

# A CI job: collect in one place, assess in another.
expect 0 env -i PATH="$PATH" HOME="$work/home" "$program" collect home/code/shop --home home -o facts.json
expect 3 "$program" assess facts.json facts.json -o assessment.json
expect 0 "$program" assess facts.json --exit-zero -o - 
expect 0 "$program" report assessment.json --format html,markdown -o .
[ -s report.html ] && [ -s summary.md ] || fail "report wrote nothing"
for name in config facts assessment manifest; do expect 0 "$program" schema "$name"; done

# Wrong use.
mkdir foreign && echo precious >foreign/file
expect 2 "$program" demo -o foreign
[ "$(cat foreign/file)" = precious ] || fail "a foreign folder was touched"
echo '{}' >broken.json
expect 2 "$program" assess broken.json
expect 2 "$program" run --no-such-flag
expect 2 "$program" demo --live
expect 2 "$program" demo -o /dev/null/x
printf 'schema: deadstop.config/1\nwaver: []\n' >deadstop.yaml
expect 2 "$program" run home/code/shop --home home -o run2
grep -q 'deadstop.yaml:2:' "$work/err" || fail "a wrong configuration has no place: $(cat "$work/err")"
rm deadstop.yaml

echo "smoke: passed"
