//! What stands below the help of each command: what people type, and what it gives.

/// Of the program.
pub(super) const ALL: &str = "\
Examples:
  deadstop demo                      the answer for a company that lost its database, no accounts needed
  deadstop run                       the answer for this folder and this home
  deadstop run ~/code/shop -o audit  the answer for another folder, written to ./audit
  deadstop credentials               every credential that an agent here can reach
  deadstop run --fail-on nothing     exit 1 only if nothing stops it and nothing brings it back

Exit codes: 0 every production asset has an answer · 1 something at or above --fail-on · 2 nothing to trust ·
3 an answer depends on what could not be read · 130 interrupted";

/// Of `run`.
pub(super) const RUN: &str = "\
Examples:
  deadstop run                               this folder and this home, into ./deadstop-report
  deadstop run ~/code/shop ~/code/infra      two folders that the agents work in
  deadstop run --config deadstop.yaml        with environments, restore drills and waivers
  deadstop run --merge provider.json         with what another program knows of the provider's resources
  deadstop run --plan                        what would be read, and nothing else

Exit codes: 0 every production asset has an answer · 1 something at or above --fail-on · 2 nothing to trust ·
3 an answer depends on what could not be read, or nothing was found to assess";

/// Of `credentials`.
pub(super) const CREDENTIALS: &str = "\
Examples:
  deadstop credentials ~/code/shop
  deadstop credentials --no-home .                     the repository alone, as a build server sees it
  deadstop credentials --format json | jq -r .provider one object a line

Secrets are never printed. Exit codes: 0 finished · 2 nothing to trust";

/// Of `demo`.
pub(super) const DEMO: &str = "\
Examples:
  deadstop demo                     a token in a stray file, and no copy out of its reach
  deadstop demo --list              every built-in incident
  deadstop demo hardened            what a good answer looks like
  deadstop demo --with-fix F1       the same world with the first fix done

Exit codes: 0, as it is a show; with --fail-on those of `run`";

/// Of `collect`.
pub(super) const COLLECT: &str = "\
Examples:
  deadstop collect -o laptop.json               facts of this machine, redacted
  deadstop collect -o - | ssh audit 'cat > f'   without a file on this machine
  deadstop collect --merge provider.json        joined with facts of another program

Exit codes: 0 written · 2 nothing to trust";

/// Of `assess`.
pub(super) const ASSESS: &str = "\
Examples:
  deadstop assess facts.json
  deadstop assess laptop.json ci.json --config deadstop.yaml   several machines as one
  deadstop assess facts.json --assessed-at 2026-12-31          as of another day

Exit codes: those of `run`";

/// Of `report`.
pub(super) const REPORT: &str = "\
Examples:
  deadstop report assessment.json                              report.html
  deadstop report assessment.json --format markdown -o -       for a pull request
  deadstop report assessment.json --format html,json -o out    several, into a folder
  deadstop report assessment.json --templates house-style      with your own cover, colours and foot

Exit codes: 0 written · 2 nothing to trust";

/// Of `init`.
pub(super) const INIT: &str = "\
Examples:
  deadstop init                then read deadstop.yaml, and: deadstop run --config deadstop.yaml
  deadstop init ~/code/shop -o - | less

Exit codes: 0 written · 2 the file is there already, or nothing to trust";

/// Of `schema`.
pub(super) const SCHEMA: &str = "\
Examples:
  deadstop schema config > deadstop.schema.json   for an editor: # yaml-language-server: $schema=deadstop.schema.json
  deadstop schema facts                           what another program writes for --merge";

/// Of `diff`.
pub(super) const DIFF: &str = "\
Examples:
  deadstop diff q3/assessment.json q4/assessment.json                        quarter against quarter
  deadstop diff last.json now.json --fail-on slowed-no-recovery,critical     for a job: only what is new or worse fails
  deadstop diff last.json now.json --format json | jq -r '.paths.opened[].key'   for a script

Exit codes: 0 compared · 1 something new or worse at or above --fail-on · 2 nothing to trust";

/// Of `export`.
pub(super) const EXPORT: &str = "\
Examples:
  deadstop export --parquet tables                                       those of ./deadstop-report
  deadstop export q4/assessment.json --facts q4/facts.json --parquet q4/tables
  duckdb -c \"SELECT answer, count(*) FROM 'tables/assets.parquet' WHERE in_headline GROUP BY 1\"

Exit codes: 0 written · 2 nothing to trust";

/// Of `fix`.
pub(super) const FIX: &str = "\
Examples:
  deadstop fix                                          the fixes of ./deadstop-report, those of the plan first
  deadstop fix F1                                       what it asks for, to paste
  deadstop fix deny:arn:aws:iam::111122223333:user/ci --assessment q4/assessment.json > policy.json

What is pasted goes to standard output and what is said of it to standard error. Exit codes: 0 printed · 2 nothing to trust";

/// Of `tabletop`.
pub(super) const TABLETOP: &str = "\
Examples:
  deadstop tabletop prepare --world pocketos                   an exercise of a built-in incident
  deadstop tabletop prepare                                    one of ./deadstop-report, with this environment's own names
  deadstop tabletop run                                        leads through it and writes the answers down
  deadstop tabletop record -o with-exercise.json               checks them and puts them into the assessment
  deadstop run --tabletop deadstop-tabletop/tabletop.yaml      the same in the next report

Exit codes: 0 written · 2 nothing to trust, or a record that does not hold together";

/// Of `sign`.
pub(super) const SIGN: &str = "\
Examples:
  deadstop sign deadstop-report --sign-key ~/.ssh/id_ed25519         asks for the passphrase, if there is one
  deadstop sign deadstop-report --sign-key ~/.ssh/id_ed25519.pub     the agent signs, with the key that it has
  deadstop sign deadstop-report --sign-key ~/.minisign/minisign.key  writes manifest.json.minisig

Nothing is signed that is not whole. The signature is of manifest.json, which holds the sum of every other file, and
`ssh-keygen -Y verify -n deadstop-manifest` or `minisign -V` checks it too. Exit codes: 0 signed · 2 nothing signed";

/// Of `verify`.
pub(super) const VERIFY: &str = "\
Examples:
  deadstop verify deadstop-report    every byte of it against its manifest
  deadstop verify deadstop-report --allowed-signers allowed_signers --signer anna@example.com
  deadstop verify deadstop-report --public-key minisign.pub

Exit codes: 0 whole, and signed as asked · 1 something altered, missing or added, or a signature that is not what it
should be · 2 no manifest, or a file of keys that cannot be used";

/// Of `what-if`.
pub(super) const WHAT_IF: &str = "\
Examples:
  deadstop what-if -- 'psql \"$DATABASE_URL\" -c \"DROP DATABASE app\"'     the settings of this folder and home
  deadstop what-if --facts facts.json -- 'aws rds delete-db-instance …'   with the assets that were collected
  deadstop what-if --agent claude-code --started-as 'claude -p' -- rm -rf data
  deadstop what-if --tool mcp__railway__remove_volume --args '{\"volumeId\": \"5f1c\"}'
  deadstop what-if --corpus calls.txt --format json                       one object a line

Nothing is run, and variables are not expanded. No credential is looked for: what is at stake comes from --facts, which
`deadstop collect --live` writes. Exit codes: 0 decided · 2 wrong usage · 3 unknown";

/// Of `completions`.
pub(super) const COMPLETIONS: &str = "\
Examples:
  deadstop completions bash > ~/.local/share/bash-completion/completions/deadstop
  deadstop completions zsh > ~/.zfunc/_deadstop
  deadstop completions fish > ~/.config/fish/completions/deadstop.fish";

/// Of `man`.
pub(super) const MAN: &str = "\
Examples:
  deadstop man | man -l -
  deadstop man -o ~/.local/share/man/man1";

/// Of `checks`.
pub(super) const CHECKS: &str = "\
Examples:
  deadstop checks list
  deadstop checks show asset-would-survive-a-delete
  deadstop checks new database-has-owner
  deadstop checks test ./our-checks
  deadstop run --checks ./our-checks --fail-on high";
