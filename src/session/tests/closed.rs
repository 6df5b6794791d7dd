//! Agents whose source is closed: what plainly lets calls run is told, and nothing else.

use super::surroundings::{bash, with};
use super::*;

/// What is not relied on.
const OPEN: Option<Decision> = None;

fn put(world: &World, path: &str, text: &str) {
    let file = world.folder.path().join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[test]
fn amp_is_read_in_the_home_in_the_folder_and_where_a_variable_says() {
    let world = World::new(&[("home/.config/amp/settings.json", "{}"), ("top/work/x", "")]);
    let met = |env: &[(&str, &str)], line| bash(&with(&world, env, line), "amp");
    assert_eq!(met(&[], None), OPEN);
    assert_eq!(met(&[], Some("amp --dangerously-allow-all -x fix")), Some(Decision::Allow));
    put(&world, "elsewhere.json", r#"{"amp.dangerouslyAllowAll": true}"#);
    assert_eq!(met(&[("AMP_SETTINGS_FILE", "$/elsewhere.json")], None), Some(Decision::Allow));
    put(&world, "top/work/.amp/settings.json", r#"{"amp.dangerouslyAllowAll": true}"#);
    assert_eq!(met(&[], None), Some(Decision::Allow));
    put(&world, "system/etc/ampcode/managed-settings.json", r#"{"amp.dangerouslyAllowAll": false}"#);
    assert_eq!(met(&[], None), OPEN);
}

#[test]
fn droid_is_read_in_the_home_and_in_the_folder() {
    let world = World::new(&[("home/.factory/settings.json", r#"{"autonomyLevel": "off"}"#), ("top/work/x", "")]);
    let met = |line| bash(&with(&world, &[], line), "factory-droid");
    assert_eq!(met(None), OPEN);
    assert_eq!(met(Some("droid exec --auto high fix")), Some(Decision::Allow));
    assert_eq!(met(Some("droid exec --auto low fix")), OPEN);
    put(&world, "home/.factory/settings.local.json", r#"{"autonomyLevel": "high"}"#);
    assert_eq!(met(None), Some(Decision::Allow));
    put(&world, "top/work/.factory/settings.json", r#"{"autonomyLevel": "off"}"#);
    assert_eq!(met(None), OPEN);
    assert_eq!(met(Some("droid exec --skip-permissions-unsafe fix")), Some(Decision::Allow));
}

#[test]
fn kiro_is_read_with_its_rules_its_agents_and_what_its_editor_trusts() {
    let world = World::new(&[("home/.kiro/settings/permissions.yaml", "rules: []\n"), ("top/work/x", "")]);
    let met = |line| bash(&with(&world, &[], line), "kiro");
    assert_eq!(met(None), OPEN);
    assert_eq!(met(Some("kiro-cli chat --trust-all-tools fix")), Some(Decision::Allow));
    put(&world, "top/work/.kiro/agents/ops.json", r#"{"name": "ops", "allowedTools": ["shell"]}"#);
    assert_eq!(met(None), OPEN);
    assert_eq!(met(Some("kiro-cli chat --agent ops")), Some(Decision::Allow));
    put(&world, "home/.kiro/workspace-roots/7f3a/permissions.yaml", "rules:\n  - {capability: shell, effect: ask}\n");
    assert_eq!(met(Some("kiro-cli chat --agent ops")), OPEN);
    fs::remove_dir_all(world.folder.path().join("home/.kiro/workspace-roots")).unwrap();
    put(&world, "top/work/.vscode/settings.json", r#"{"kiroAgent.trustedCommands": ["*"]}"#);
    assert_eq!(met(None), Some(Decision::Allow));
}

#[test]
fn windsurf_is_read_with_its_editor_and_its_hooks() {
    let turbo = r#"{"windsurf.autoExecutionPolicy": "turbo"}"#;
    let world = World::new(&[("home/.config/Windsurf/User/settings.json", "{}"), ("top/work/x", "")]);
    let met = |line| bash(&with(&world, &[], line), "windsurf");
    assert_eq!(met(None), OPEN);
    put(&world, "home/.config/Windsurf/User/settings.json", turbo);
    assert_eq!(met(None), Some(Decision::Allow));
    assert_eq!(met(Some("windsurf --new-window")), Some(Decision::Allow));
    put(&world, "home/.codeium/windsurf/hooks.json", r#"{"hooks": {"pre_run_command": [{"command": "x"}]}}"#);
    assert_eq!(met(None), OPEN);
    fs::remove_file(world.folder.path().join("home/.codeium/windsurf/hooks.json")).unwrap();
    put(&world, "home/.config/Windsurf/User/settings.json", "{}");
    put(&world, "top/work/.vscode/settings.json", turbo);
    assert_eq!(met(None), Some(Decision::Allow));
    put(&world, "system/etc/windsurf/hooks.json", r#"{"hooks": {"pre_run_command": [{"command": "x"}]}}"#);
    assert_eq!(met(None), OPEN);
}

#[test]
fn warp_is_read_with_its_terminal_and_its_command_line() {
    let free = "[agents.execution_profiles.default]\nexecute_commands = \"always_allow\"\n";
    let world = World::new(&[("home/.config/warp-terminal/settings.toml", ""), ("top/work/x", "")]);
    let met = |env: &[(&str, &str)], line| bash(&with(&world, env, line), "warp");
    assert_eq!(met(&[], None), OPEN);
    assert_eq!(met(&[], Some("oz agent run")), Some(Decision::Allow));
    assert_eq!(met(&[], Some("oz agent run --profile x")), OPEN);
    assert_eq!(met(&[], Some("warp")), OPEN);
    assert_eq!(met(&[], Some("warp --auto-approve")), Some(Decision::Allow));
    put(&world, "home/.config/warp-terminal/cli/settings.toml", free);
    assert_eq!(met(&[], Some("warp")), Some(Decision::Allow));
    assert_eq!(met(&[], None), OPEN);
    put(&world, "home/.config/warp-terminal/settings.toml", free);
    assert_eq!(met(&[], None), Some(Decision::Allow));
    put(&world, "elsewhere/warp-terminal/settings.toml", "");
    assert_eq!(met(&[("XDG_CONFIG_HOME", "$/elsewhere")], None), OPEN);
    fs::remove_dir_all(world.folder.path().join("home/.config/warp-terminal")).unwrap();
    put(&world, "home/.warp/settings.toml", free);
    assert_eq!(met(&[], None), Some(Decision::Allow));
    assert_eq!(met(&[], Some("warp")), OPEN);
    put(&world, "home/.warp_cli/settings.toml", free);
    assert_eq!(met(&[], Some("warp")), Some(Decision::Allow));
}

#[test]
fn junie_is_read_in_the_home_in_the_folder_and_where_a_variable_says() {
    let world = World::new(&[("home/.junie/config.json", "{}"), ("top/work/x", "")]);
    let met = |env: &[(&str, &str)], line| bash(&with(&world, env, line), "junie");
    assert_eq!(met(&[], None), OPEN);
    assert_eq!(met(&[], Some("junie --brave")), Some(Decision::Allow));
    assert_eq!(met(&[], Some("junie --brave=false")), OPEN);
    put(&world, "home/.junie/config.json", r#"{"brave": true}"#);
    assert_eq!(met(&[], None), Some(Decision::Allow));
    for name in ["JUNIE_CONFIG_LOCATION", "JUNIE_CONFIG_DEFAULT_LOCATIONS"] {
        assert_eq!(met(&[(name, "false")], None), OPEN, "{name}");
    }
    put(&world, "elsewhere/config.json", "{}");
    assert_eq!(met(&[("JUNIE_HOME", "$/elsewhere")], None), OPEN);
    put(&world, "top/work/.junie/config.json", r#"{"brave": false}"#);
    assert_eq!(met(&[], None), OPEN);
    put(&world, "home/.junie/config.json", "{}");
    put(&world, "home/.junie/allowlist.json", r#"{"defaultBehavior": "allow", "rules": {}}"#);
    assert_eq!(met(&[], None), Some(Decision::Allow));
}

#[test]
fn options_that_are_not_known_are_doubted() {
    for line in [
        "amp --settings-file x",
        "droid --weird",
        "droid exec --auto most",
        "kiro-cli chat --weird",
        "windsurf --weird",
        "warp --weird",
        "junie --weird",
    ] {
        assert!(started::Started::parse(line).unwrap().doubt.is_some(), "{line}");
    }
    for (line, headless) in [
        ("amp -x fix", true),
        ("droid exec fix", true),
        ("droid", false),
        ("kiro-cli chat", false),
        ("junie --task fix", true),
        ("junie", false),
        ("oz agent run", true),
    ] {
        assert_eq!(started::Started::parse(line).unwrap().headless, Some(headless), "{line}");
    }
}
