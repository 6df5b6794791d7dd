#!/usr/bin/env bash
# Builds the release as it is published and uses what comes out: sums, contents, a static program, the same bytes from
# another folder. Takes two release builds; run it before a release. release.sh [TARGET]
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:-x86_64-unknown-linux-musl}
fail() { echo "release test: $*" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bash scripts/release "$target"
cp -r dist "$work/first"
(cd "$work/first" && sha256sum --check --quiet SHA256SUMS) || fail "the sums are not those of the archives"

archive=$(basename "$work"/first/*.tar.gz .tar.gz)
tar -xzf "$work/first/$archive.tar.gz" -C "$work"
root=$work/$archive
for file in deadstop README.md CHANGELOG.md SECURITY.md LICENSE-MIT LICENSE-APACHE THIRD-PARTY.txt docs/install.md \
  completions/deadstop.bash completions/_deadstop completions/deadstop.fish man/man1/deadstop.1 man/man1/deadstop-run.1; do
  [ -s "$root/$file" ] || fail "$file is missing"
done
# The home itself may be one that stores are looked for in, such as /root.
for hidden in "$PWD" "$HOME/.cargo" "$HOME/.rustup"; do
  if grep -qF -- "$hidden" "$root/deadstop"; then fail "the program tells the path $hidden of the machine that built it"; fi
done
if "$root/deadstop" --version >/dev/null 2>&1; then
  mkdir "$work/smoke"
  bash tests/smoke.sh "$root/deadstop" "$work/smoke"
else
  echo "release test: $target does not run on this machine, so that it works is not tested here"
fi

# The same from another folder.
git clone --quiet . "$work/elsewhere"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) bash "$work/elsewhere/scripts/release" "$target" >/dev/null
cmp "$work/first/$archive.tar.gz" "$work/elsewhere/dist/$archive.tar.gz" || fail "another folder gave another archive"
echo "release test: passed"
