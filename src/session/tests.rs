use std::fs;

use deadstop_core::fact::GapReason;

use super::*;

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { folder }
    }

    fn look(&self, roots: &[&str]) -> Discovered {
        let home = self.folder.path().join("home");
        let system = self.folder.path().join("system");
        let roots: Vec<PathBuf> = roots.iter().map(|root| self.folder.path().join(root)).collect();
        let env = BTreeMap::new();
        let now = Time::from_unix(1_795_500_000);
        discover(&Where { home: Some(&home), roots: &roots, env: &env, system: &system, now }, &[])
    }
}

fn way<'a>(found: &'a Discovered, id: &str) -> &'a Way {
    found.ways.iter().find(|way| way.id.as_str() == id).unwrap()
}

#[test]
fn the_plain_session_is_always_there_and_alone_without_an_agent() {
    let found = World::new(&[]).look(&["work"]);
    assert_eq!(found.sessions.len(), 1);
    assert_eq!(found.ways.len(), 1);
    assert_eq!(way(&found, "plain/program").decision, Fact::Known(Decision::Allow));
}

#[test]
fn settings_of_the_user_are_read() {
    let world = World::new(&[("home/.claude/settings.json", r#"{"permissions":{"defaultMode":"bypassPermissions"}}"#)]);
    let found = world.look(&["work"]);
    assert_eq!(found.sessions[1].id.as_str(), "claude-code");
    assert_eq!(found.sessions[1].ways, Fact::Known(Listed::Complete));
    let bash = way(&found, "claude-code/bash");
    assert_eq!(bash.decision, Fact::Known(Decision::Allow));
    assert!(bash.because.contains("~/.claude/settings.json:1"), "{}", bash.because);
    let ids: Vec<_> = found.sources.iter().map(|source| source.id.clone()).collect();
    assert!(found.ways.iter().flat_map(|way| &way.sources).all(|source| ids.contains(source)));
}

#[test]
fn a_folder_that_is_freer_makes_the_session_freer() {
    let asks = ("home/.claude/settings.json", r#"{"permissions":{"defaultMode":"default"}}"#);
    let free = ("b/.claude/settings.local.json", r#"{"permissions":{"defaultMode":"bypassPermissions"}}"#);
    let world = World::new(&[asks, free]);
    assert_eq!(way(&world.look(&["a"]), "claude-code/bash").decision, Fact::Known(Decision::Ask));
    assert_eq!(way(&world.look(&["a", "b"]), "claude-code/bash").decision, Fact::Known(Decision::Allow));
    assert_eq!(way(&world.look(&["b", "a"]), "claude-code/bash").decision, Fact::Known(Decision::Allow));
}

#[test]
fn a_link_in_place_of_settings_is_a_gap() {
    let world = World::new(&[("elsewhere.json", "{}"), ("home/.claude.json", "{}")]);
    fs::create_dir_all(world.folder.path().join("home/.claude")).unwrap();
    let link = world.folder.path().join("home/.claude/settings.json");
    std::os::unix::fs::symlink(world.folder.path().join("elsewhere.json"), link).unwrap();
    let found = world.look(&["work"]);
    assert_eq!(found.sessions[1].ways.gap().map(|gap| gap.reason), Some(GapReason::NotAsked));
    assert!(way(&found, "claude-code/bash").decision.gap().is_some());
}

#[test]
fn a_managed_file_that_the_user_may_write_binds_nobody() {
    let world = World::new(&[("system/etc/claude-code/managed-settings.json", r#"{"permissions":{"deny":["Bash"]}}"#)]);
    let bash = way(&world.look(&["work"]), "claude-code/bash").clone();
    assert_eq!(bash.decision, Fact::Known(Decision::Deny));
    assert!(!bash.managed && !bash.overrides.is_empty());
}

#[test]
fn refusals_hold_only_where_every_folder_refuses() {
    let world = World::new(&[
        ("home/.claude/settings.json", r#"{"permissions":{"defaultMode":"default"}}"#),
        ("a/.claude/settings.json", r#"{"permissions":{"deny":["Read(//**/.env)"]}}"#),
        ("b/.claude/settings.json", "{}"),
    ]);
    let path = world.folder.path().join("a/.env").display().to_string();
    let refused: Vec<String> = world.look(&["a"]).refusals(&path).iter().map(|r| r.way.to_string()).collect();
    assert_eq!(refused, ["claude-code/read", "claude-code/bash-read"]);
    let both: Vec<String> = world.look(&["a", "b"]).refusals(&path).iter().map(|r| r.way.to_string()).collect();
    assert_eq!(both, ["claude-code/read"]);
}

#[test]
fn policy_from_a_server_puts_managed_files_in_doubt() {
    let managed = ("system/etc/claude-code/managed-settings.json", r#"{"permissions":{"deny":["Bash"]}}"#);
    let served = |text| World::new(&[managed, ("home/.claude/remote-settings.json", text)]).look(&["work"]);
    assert!(way(&served("{}"), "claude-code/bash").decision.known().is_some());
    let doubtful = served(r#"{"model":"x"}"#);
    assert!(way(&doubtful, "claude-code/bash").decision.gap().is_some());
    assert!(doubtful.sessions[1].ways.gap().is_some());
}
