//! A command as it is shown: with nothing in it that may be a secret.

use crate::collector::mask::looks_secret;
use crate::secret::REDACTED;

/// Words after which a secret stands.
const BEFORE: [&str; 10] = ["bearer", "basic", "password", "by", "login", "-p", "-u", "-a", "--user", "--pat"];

/// Parts of names that hold secrets, of options too.
const NAMES: [&str; 19] = [
    "token",
    "secret",
    "pass",
    "pwd",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "access-key",
    "auth",
    "cookie",
    "session",
    "credential",
    "signature",
    "private",
    "bearer",
    "2fa",
    "otp",
    "code",
];

/// The command, with what may be a secret taken out. Variables stay as they are written.
pub(super) fn command(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    let (mut before, mut name, mut quoted) = (String::new(), String::new(), None);
    let ends = |c: char| c.is_whitespace() || "'\"`=:,;()[]{}<>|&@?".contains(c);
    for c in text.chars().chain(['\n']) {
        if !ends(c) {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            let shown = hidden(&word, &before, &name, &out, c);
            out.push_str(&shown);
            before = word.to_lowercase();
            if shown == REDACTED && c == ':' {
                // `user:password`: what follows is no better.
                "secret".clone_into(&mut name);
                word.clear();
                out.push(c);
                continue;
            }
            // All that stands in the quotes of a value is of the value.
            if quoted.is_none() || name.is_empty() {
                name = if c == '=' || c == ':' { before.clone() } else { String::new() };
            }
            word.clear();
        } else if (c == ':' || c == '=') && name.is_empty() {
            // `"password": "…"`
            name.clone_from(&before);
        } else if c.is_whitespace() && quoted.is_none() && !name.is_empty() && !out.ends_with(':') {
            name.clear();
        }
        match (quoted, c) {
            (Some(open), c) if c == open => quoted = None,
            (None, '\'' | '"') => quoted = Some(c),
            _ => {}
        }
        out.push(c);
    }
    out.pop();
    out
}

fn hidden(word: &str, before: &str, name: &str, out: &str, next: char) -> String {
    let scheme = ["basic", "bearer", "digest"].contains(&word.to_lowercase().as_str());
    if scheme || word.starts_with('$') || word.starts_with('<') {
        return word.to_owned();
    }
    // `https://token@host`, and an address of a hook, which is its own secret.
    if word.starts_with("//") && (next == '@' || word.starts_with("//hooks.")) {
        return format!("//{REDACTED}");
    }
    let holds = |name: &str| NAMES.iter().any(|part| name.contains(part));
    if let Some(option) = word.strip_prefix('-') {
        // `-phunter2`: what is glued to a short option may be its value.
        let glued = !option.starts_with('-') && option.len() > 3;
        let first: String = word.chars().take(2).collect();
        return if glued { format!("{first}{REDACTED}") } else { word.to_owned() };
    }
    let named = holds(name) && !out.ends_with("//");
    // `postgres://user:password@host`
    let login = next == '@' && out.rsplit_once("//").is_some_and(|(_, rest)| !rest.contains('/'));
    let after = BEFORE.contains(&before) || (before.starts_with('-') && holds(before));
    if looks_secret(word) || named || login || after { REDACTED.to_owned() } else { word.to_owned() }
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
            ("mysql -phunter2x", "hunter2x"),
            ("curl -u admin:hunter2x https://x", "hunter2x"),
            ("redis-cli -a hunter2x", "hunter2x"),
            ("sshpass -p hunter2x ssh host", "hunter2x"),
            ("curl -H 'X-Auth-Key:hunter2x' https://x", "hunter2x"),
            ("curl -H 'Cookie: session=hunter2x' https://x", "hunter2x"),
            ("curl -d '{\"password\": \"hunter2x\"}' https://x", "hunter2x"),
            ("PGPASSWORD=\"ab&hunter2x\" psql", "hunter2x"),
            ("psql -c \"ALTER USER a PASSWORD 'hunter2x'\"", "hunter2x"),
            ("tool --auth-token hunter2x", "hunter2x"),
            ("tool --secret-key hunter2x", "hunter2x"),
            ("tool --2fa-code 123456", "123456"),
            ("export DB_PASS=hunter2x", "hunter2x"),
            ("git push https://hunter2x@github.com/a/b", "hunter2x"),
            ("vault login hunter2x", "hunter2x"),
            ("curl https://hooks.slack.com/services/T0/B0/hunter2x", "hunter2x"),
        ] {
            assert!(!command(text).contains(secret), "{}", command(text));
        }
    }
}
