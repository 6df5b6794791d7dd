#!/usr/bin/env bash
# Opens a report in a headless browser as its readers would, and fails if something is not as it should be.
#
#   tests/report/browser.sh REPORT.html [FOLDER FOR THE PICTURES]
#
# Needs chromium (or $CHROMIUM); exits 77 where there is none.
set -euo pipefail

report=$(realpath "${1:?usage: browser.sh REPORT.html [FOLDER]}")
out=${2:-$(mktemp -d)}
browser=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
if [ -z "$browser" ]; then
  echo "browser.sh: no chromium here" >&2
  exit 77
fi
mkdir -p "$out"
out=$(realpath "$out")
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT

fail() {
  echo "browser.sh: $*" >&2
  exit 1
}

# One run of the browser, which may reach nothing: every name resolves to nowhere, and the report asks for none.
browse() {
  timeout 60 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars \
    --disable-background-networking --disable-component-update --disable-sync --disable-default-apps \
    --host-resolver-rules='MAP * ~NOTFOUND' --user-data-dir="$profile" --enable-logging=stderr --v=0 "$@" 2>>"$out/log"
}

# A file that a run must have left, of at least so many bytes.
left() {
  [ -s "$1" ] || fail "$(basename "$1") was not made"
  [ "$(stat -c %s "$1")" -ge "$2" ] || fail "$(basename "$1") is all but empty"
}

: >"$out/log"
browse --window-size=1440,2400 --screenshot="$out/desktop.png" "file://$report" >/dev/null
browse --window-size=1440,2400 --blink-settings=preferredColorScheme=0 --force-dark-mode \
  --screenshot="$out/dark.png" "file://$report" >/dev/null
# A window is never narrower than 500 pixels, so the phone is a frame.
printf '<body style="margin:0"><iframe src="file://%s" style="border:0;width:390px;height:3000px"></iframe>' "$report" \
  >"$out/phone.html"
browse --window-size=500,3000 --screenshot="$out/phone.png" "file://$out/phone.html" >/dev/null
browse --no-pdf-header-footer --print-to-pdf="$out/report.pdf" "file://$report" >/dev/null
browse --dump-dom "file://$report" >"$out/dom.html"

for picture in desktop dark phone; do left "$out/$picture.png" 20000; done
cmp -s "$out/desktop.png" "$out/dark.png" && fail "dark looks like light"
left "$out/report.pdf" 10000
left "$out/dom.html" 5000

# The browser must see every row that was written, and nothing may have been refused or asked for.
rows() { grep -o "<tr[^>]* data-$1=\"[^\"]*\"" "$2" | wc -l || true; }
for row in asset path gap credential evidence check tally; do
  written=$(rows "$row" "$report")
  seen=$(rows "$row" "$out/dom.html")
  [ "$written" = "$seen" ] || fail "$written rows of $row were written and $seen are seen"
  echo "$row: $seen rows"
done
grep -q '<h1 ' "$out/dom.html" || fail "there is no headline"
if grep -E 'CONSOLE|Content Security Policy|ERR_' "$out/log"; then fail "the console is not silent"; fi

# Where the PDF can be read: every asset stands in it, those in folded parts too.
if command -v pdftotext >/dev/null; then
  pdftotext -layout "$out/report.pdf" "$out/report.txt"
  grep -q 'Sign-off' "$out/report.txt" || fail "the PDF ends early"
  layers=$(grep -c 'What each layer answered' "$out/report.txt" || true)
  folded=$(grep -o '<details ' "$report" | wc -l || true)
  [ "$layers" -ge "$folded" ] || fail "$folded assets are folded and $layers are printed in full"
fi
echo "ok: $out"
