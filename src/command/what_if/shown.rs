//! A command as it is shown: with nothing in it that may be a secret.

use crate::collector::mask::looks_secret;
use crate::secret::REDACTED;

/// Words after which a secret stands.
const BEFORE: [&str; 9] = [
    "bearer",
    "basic",
    "--password",
    "--token",
    "--api-key",
    "--access-token",
    "--pass",
    "--oauth2-bearer",
    "--secret",
];

/// Parts of names that hold secrets.
const NAMES: [&str; 9] = ["token", "secret", "password", "passwd", "pwd", "apikey", "api_key", "api-key", "access_key"];

/// The command, with what may be a secret taken out. Variables stay as they are written.
pub(super) fn command(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    let mut before = String::new();
    let mut name = String::new();
    let ends = |c: char| c.is_whitespace() || "'\"`=:,;()[]{}<>|&@?".contains(c);
    for c in text.chars().chain(['\n']) {
        if !ends(c) {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            out.push_str(&hidden(&word, &before, &name, &out, c));
            before = word.to_lowercase();
            name = if c == '=' || c == ':' { before.clone() } else { String::new() };
            word.clear();
        } else if c.is_whitespace() && !name.is_empty() && !out.ends_with(':') {
            name.clear();
        }
        out.push(c);
    }
    out.pop();
    out
}

fn hidden(word: &str, before: &str, name: &str, out: &str, next: char) -> String {
    let variable = word.starts_with('$') || word.starts_with('-') || word.starts_with('<');
    let named = NAMES.iter().any(|part| name.contains(part)) && !out.ends_with("//");
    // `postgres://user:password@host`
    let login = next == '@' && out.rsplit_once("//").is_some_and(|(_, rest)| rest.contains(':') && !rest.contains('/'));
    let after = BEFORE.contains(&before);
    if !variable && (looks_secret(word) || named || login || after) { REDACTED.to_owned() } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_and_the_rest_stays() {
        for same in [
            "psql \"$DATABASE_URL\" -c \"DROP DATABASE app\"",
            "curl -H \"Authorization: Bearer $TOKEN\" https://api.example.com/v1/x",
            "aws --profile prod rds delete-db-instance --db-instance-identifier orders-2026",
            "RAILWAY_TOKEN=$PROD_TOKEN railway volume delete --volume bookings --yes",
        ] {
            assert_eq!(command(same), same);
        }
        for (text, secret) in [
            ("curl -H 'Authorization: Bearer hunter2' https://x", "hunter2"),
            ("PGPASSWORD=hunter2 psql -h x", "hunter2"),
            ("psql postgres://app:hunter2@db.example/app", "hunter2"),
            ("tool --token hunter2", "hunter2"),
            ("tool Zk7Qm2Xw9Rt4Lp8Vb3Nc6", "Zk7Qm2Xw9"),
            ("http x password=hunter2", "hunter2"),
        ] {
            assert!(!command(text).contains(secret), "{}", command(text));
        }
    }
}
