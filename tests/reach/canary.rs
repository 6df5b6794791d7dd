//! No piece of a secret leaves memory.

use crate::planted::plant;
use crate::support::{Fake, hex, made_up};

/// Fails if twelve bytes in a row of `secret` are in `text`.
fn assert_absent(text: &str, name: &str, secret: &str) {
    let bytes = secret.as_bytes();
    let plain = secret.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    assert!(!plain.is_empty());
    for window in bytes.windows(12.min(bytes.len())) {
        let piece = std::str::from_utf8(window).unwrap();
        assert!(!text.contains(piece), "a piece of {name} is told");
    }
}

#[test]
fn no_planted_secret_is_told() {
    let planted = plant();
    let found = planted.fake.collect();
    let text = format!("{}{found:?}", serde_json::to_string(&found).unwrap());
    for (name, secret) in &planted.secrets {
        assert_absent(&text, name, secret);
    }
}

#[test]
fn nor_one_that_is_a_file_name_or_a_key() {
    let fake = Fake::new();
    let token = format!("{}{}", "ghp_", made_up(77, 36));
    let other = format!("{}{}", "dop_v1_", hex(78, 64));
    fake.write(&format!("./backup/{token}/note.txt"), format!("kept {token}\n"));
    fake.write(
        "./.mcp.json",
        format!("{{\"mcpServers\": {{\"{other}\": {{\"command\": \"x\", \"env\": {{\"T\": \"{other}\"}}}}}}}}"),
    );
    fake.write("./.env", format!("DATABASE_URL=postgres://{token}:{other}@db.internal.example/shop\n"));
    let found = fake.collect();
    assert!(found.credentials.items.len() >= 2);
    let text = format!("{}{found:?}", serde_json::to_string(&found).unwrap());
    assert_absent(&text, "the token", &token);
    assert_absent(&text, "the other", &other);
}

#[test]
fn nor_one_that_stands_where_a_name_is_looked_for() {
    let fake = Fake::new();
    let name = format!("{}{}", made_up(79, 24), "a1b2c3");
    let password = made_up(80, 40);
    fake.write("./notes.conf", format!("{name}_TOKEN={password}\n{name}.password = {password}-x\n"));
    fake.write("~/.aws/config", format!("[profile {name}]\nrole_arn = arn:aws:iam::609629065308:role/admin\n"));
    let found = fake.collect();
    assert_eq!((found.credentials.items.len(), found.steps.items.len()), (2, 1));
    let text = format!("{}{found:?}", serde_json::to_string(&found).unwrap());
    assert_absent(&text, "the name", &name);
    assert_absent(&text, "the value", &password);
}
