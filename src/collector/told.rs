//! `docs/credentials.md`, from the data that it describes (floor 5).

use std::fmt::Write as _;

use super::rules::Rules;
use super::store::listed::{Entry, Field, Form, Holds};

const HEAD: &str = "\
# Credentials

What `run`, `collect` and `credentials` look for, and where. Written from the data by a test:
`UPDATE_DOCS=1 cargo test --test integration documents`.

## How

1. The environment, with every variable whose name or value a rule knows.
2. The stores below, at their default places and where a variable names them, so that no limit of time ends before them.
3. Every text file below the given folders and the home: program text, notes, logs, shell histories, agents' transcripts.
   RULES. Logins at databases are joined to the server that they name.
4. With `--git-history`, what repositories hold of the past.

A store is known by the end of its path, wherever it lies: `gh/hosts.yml` in a home of macOS, in a backup, in a folder of
settings kept in git. It is parsed for what a line alone does not tell: whose it is, until when, whether something beside it
renews it. A store that cannot be parsed is a gap; its lines are looked through all the same. Nothing in it is run, and no
value of it is shown.

A token that has ended by its own account is listed as such, and is not taken for revoked: only its provider's word does
that. Beside what renews it, it is live. A key that needs a passphrase is listed as `encrypted_private_key`. A store that is
there and cannot be read is a gap: what it holds is not known, and an agent that it is unlocked for reads it.

## Stores

`~` is the home. `*` stands for a part of a name, `**` for any folders. Under `taken` stand the fields
of a file that are credentials, and their kinds. The last column links the documentation, with the day of the review.

";

const TAIL: &str = "
## Not read

- What a keyring, a keychain, a password manager or a running agent (`ssh-agent`, `gpg-agent`) holds. The stores of the first
  three are named as above; the socket that `SSH_AUTH_SOCK` names is listed as a credential of its own.
- Passwords and sessions that browsers keep.
- What lies in the write-ahead log of a database and not yet in the database.
- Metadata services of instances and containers, and anything else that has to be asked.
- Packed files. One that is named like a store of credentials is a gap.
- What this user may not read, as no session of this user can either.

## Systems

The places of Linux, macOS and Windows are all looked for everywhere, as in a home that was copied from there. This version
has been run on Linux alone; on Windows it does not run.
";

/// The whole document.
#[must_use]
pub fn credentials_document() -> String {
    let rules = Rules::built_in();
    let kinds: std::collections::BTreeSet<_> =
        rules.rules.iter().map(|rule| (rule.provider.as_str(), rule.kind.as_str())).collect();
    let counted = format!(
        "{} kinds of credential of {} providers are known by their\n   form or by the names that their documentation gives them",
        kinds.len(),
        rules.providers.len()
    );
    let mut text = HEAD.replace("RULES", &counted);
    let mut entries: Vec<&Entry> = rules.stores.all().iter().collect();
    entries.sort_by_key(|entry| (title(&rules, entry), entry.about.as_str()));
    text.push_str("| provider | what | where | taken | source, compared on |\n| --- | --- | --- | --- | --- |\n");
    for entry in entries.iter().filter(|entry| entry.form != Form::Sealed) {
        row(&mut text, &rules, entry, &taken(entry));
    }
    text.push_str("\n## Present, and not readable\n\n| of | what | where | | source, compared on |\n| --- | --- | --- | --- | --- |\n");
    for entry in entries.iter().filter(|entry| entry.form == Form::Sealed) {
        row(&mut text, &rules, entry, "a gap");
    }
    text.push_str(TAIL);
    text
}

fn title<'a>(rules: &'a Rules, entry: &'a Entry) -> &'a str {
    rules.providers.get(&entry.provider).map_or(entry.provider.as_str(), |known| known.title.as_str())
}

fn row(text: &mut String, rules: &Rules, entry: &Entry, taken: &str) {
    let known = rules.providers.get(&entry.provider);
    let source = entry.source.as_deref().or_else(|| known.map(|known| known.source.as_str())).unwrap_or_default();
    let day = entry.reviewed.as_deref().or_else(|| known.map(|known| known.reviewed.as_str())).unwrap_or_default();
    let code = |path: &String| format!("`{path}`");
    let variable = |name: &String| format!("`${name}`");
    let places: Vec<String> = entry.paths.iter().map(code).chain(entry.env.iter().map(variable)).collect();
    let _ = writeln!(
        text,
        "| {} | {} | {} | {taken} | [{day}]({source}) |",
        title(rules, entry),
        entry.about,
        places.join(", ")
    );
}

/// What is taken from a store, in words.
fn taken(entry: &Entry) -> String {
    let field = |field: &Field| {
        let note = match (field.holds, field.renews) {
            (Holds::Helper, _) => ", a program",
            (Holds::File, _) => ", a path",
            (Holds::Login, _) => ", user and password",
            (Holds::Secret, true) => ", renews",
            (Holds::Secret, false) => "",
        };
        format!("`{}` ({}{note})", field.at, field.kind.replace('_', " "))
    };
    match entry.form {
        Form::Text => "each line, by the rules".to_owned(),
        Form::Database => "each string that lies whole, by the rules; and a gap".to_owned(),
        Form::Token => "the whole file".to_owned(),
        Form::Own(_) | Form::Sealed => "parsed".to_owned(),
        Form::Json | Form::Yaml | Form::Toml | Form::Ini | Form::Properties | Form::Xml => {
            entry.fields.iter().map(field).collect::<Vec<_>>().join(", ")
        }
    }
}
