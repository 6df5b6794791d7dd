//! Agents in a terminal of which each has files of its own kind.

use super::surroundings::{bash, with};
use super::*;

/// A stop that is known of Aider, Amazon Q, goose and Zed, whose gates were not held against the agents themselves.
const DOUBTED: Option<Decision> = None;

/// What the command line of an agent stands for.
fn text(line: &str) -> String {
    let started = started::Started::parse(line).unwrap();
    let files = started.over(started.agent.as_deref().unwrap(), "/x", Vec::new());
    files.into_iter().filter_map(|file| file.text.known().cloned()).collect::<Vec<_>>().join("\n")
}

fn put(world: &World, path: &str, text: &str) {
    let file = world.folder.path().join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[test]
fn amazon_q_is_read_with_the_agents_of_the_user_and_of_the_project() {
    let world = World::new(&[
        ("home/.local/share/amazon-q/settings.json", r#"{"chat.defaultAgent": "ops"}"#),
        ("home/.aws/amazonq/cli-agents/agent_config.json.example", "?"),
        ("top/work/x", ""),
    ]);
    let met = |env: &[(&str, &str)], line| bash(&with(&world, env, line), "amazon-q");
    assert_eq!(met(&[], None), DOUBTED);
    put(&world, "home/.aws/amazonq/cli-agents/ops.json", r#"{"name": "ops", "allowedTools": ["execute_bash"]}"#);
    assert_eq!(met(&[], None), Some(Decision::Allow));
    // Elsewhere no default is named, and the agent may be chosen.
    assert_eq!(met(&[("XDG_DATA_HOME", "/nowhere")], None), None);
    assert_eq!(met(&[("XDG_DATA_HOME", "/nowhere")], Some("q chat")), DOUBTED);
    assert_eq!(met(&[("XDG_DATA_HOME", "/nowhere")], Some("q chat --agent ops")), Some(Decision::Allow));
    put(&world, "top/work/.amazonq/cli-agents/x.json", r#"{"name": "ops"}"#);
    assert_eq!(met(&[], None), DOUBTED);
    put(&world, "top/work/.amazonq/cli-agents/y.json", "{");
    assert_eq!(met(&[], None), None);
}

#[test]
fn continue_is_read_with_the_hooks_that_it_reads_and_what_may_move_its_folder() {
    let world = World::new(&[("home/.continue/config.yaml", ""), ("top/work/x", "")]);
    let found = |env: &[(&str, &str)], line| with(&world, env, line);
    assert!(found(&[], None).sessions.iter().all(|session| session.key != "continue-cli"));
    put(&world, "home/.continue/permissions.yaml", "allow: []\n");
    let met = |env: &[(&str, &str)], line| bash(&found(env, line), "continue-cli");
    assert_eq!(met(&[], None), Some(Decision::Ask));
    assert_eq!(met(&[], Some("cn --auto")), Some(Decision::Allow));
    assert_eq!(met(&[], Some("cn -p fix")), Some(Decision::Allow));
    // A server and a review run by a mode of their own, wherever their word stands.
    for line in ["cn serve", "cn --config x serve", "cn --verbose review"] {
        assert!(started::Started::parse(line).unwrap().doubt.is_some(), "{line}");
    }
    let moved = world.folder.path().join("elsewhere");
    put(&world, "elsewhere/permissions.yaml", "allow: [Bash]\n");
    assert_eq!(met(&[("CONTINUE_GLOBAL_DIR", "$/elsewhere")], None), Some(Decision::Allow));
    // Each of these leaves it open.
    for (path, text) in [
        ("top/work/.env", format!("CONTINUE_GLOBAL_DIR={}", moved.display())),
        ("top/work/.claude/settings.local.json", r#"{"hooks": {"PreToolUse": [{}]}}"#.to_owned()),
        ("home/.continue/settings.json", r#"{"hooks": {"PreToolUse": [{}]}}"#.to_owned()),
    ] {
        put(&world, path, &text);
        assert_eq!(met(&[], None), None, "{path}");
        fs::remove_file(world.folder.path().join(path)).unwrap();
        assert_eq!(met(&[], None), Some(Decision::Ask), "{path}");
    }
}

#[test]
fn goose_is_read_in_every_file_that_may_set_its_mode() {
    let world = World::new(&[("home/.config/goose/config.yaml", "GOOSE_MODE: approve\n"), ("top/work/x", "")]);
    let met = |env: &[(&str, &str)], line| bash(&with(&world, env, line), "goose");
    assert_eq!(met(&[], None), DOUBTED);
    assert_eq!(met(&[("GOOSE_MODE", "auto")], None), Some(Decision::Allow));
    assert_eq!(met(&[("GOOSE_PROVIDER", "codex-acp")], None), None);
    assert_eq!(met(&[], Some("goose session")), DOUBTED);
    assert_eq!(with(&world, &[("GOOSE_PATH_ROOT", "/nowhere")], None).sessions.len(), 1);
    fs::write(world.folder.path().join("home/.config/goose/config.yaml"), "{}").unwrap();
    assert_eq!(met(&[], None), Some(Decision::Allow));
    put(&world, "system/etc/goose/config.yaml", "GOOSE_MODE: approve\n");
    assert_eq!(met(&[], None), DOUBTED);
    put(&world, "more.yaml", "GOOSE_MODE: auto\n");
    assert_eq!(met(&[("GOOSE_ADDITIONAL_CONFIG_FILES", "$/more.yaml")], None), Some(Decision::Allow));
    assert_eq!(met(&[("GOOSE_ADDITIONAL_CONFIG_FILES", "more.yaml")], None), None);
    put(&world, "top/work/.agents/plugins/x/y", "");
    assert_eq!(met(&[], None), None);
}

#[test]
fn aider_is_read_in_the_home_at_the_top_and_in_the_folder() {
    let world = World::new(&[("home/.aider.conf.yml", "suggest-shell-commands: false\n"), ("top/work/x", "")]);
    let met = |env: &[(&str, &str)], line| bash(&with(&world, env, line), "aider");
    assert_eq!(met(&[], None), DOUBTED);
    put(&world, "top/.aider.conf.yml", "suggest-shell-commands: true\n");
    assert_eq!(met(&[], None), DOUBTED, "it is no repository");
    put(&world, "top/.git/HEAD", "");
    assert_eq!(met(&[], None), DOUBTED);
    put(&world, "top/work/.aider.conf.yml", "yes-always: true\n");
    assert_eq!(met(&[], None), DOUBTED);
    assert_eq!(met(&[("AIDER_YES_ALWAYS", "false")], None), None);
    assert_eq!(met(&[("AIDER_DARK_MODE", "true")], None), DOUBTED);
    put(&world, "top/.env", "AIDER_SUGGEST_SHELL_COMMANDS=true\n");
    assert_eq!(met(&[], None), None);
}

#[test]
fn zed_is_read_where_the_user_keeps_settings_and_nowhere_else() {
    let world = World::new(&[
        ("home/.config/zed/settings.json", r#"{"agent": {"tool_permissions": {"default": "allow",},}}"#),
        ("top/work/.zed/settings.json", r#"{"agent": {"tool_permissions": {"default": "deny"}}}"#),
    ]);
    let met = |env: &[(&str, &str)], line| bash(&with(&world, env, line), "zed");
    assert_eq!(met(&[], None), Some(Decision::Allow));
    fs::write(world.folder.path().join("home/.config/zed/settings.json"), "{}").unwrap();
    // A command in which the shell puts something in may be refused, and one that carries anything may hold such.
    let edit = |found: &Discovered| way(found, "zed/edit").decision.known().copied();
    assert_eq!(edit(&with(&world, &[], Some("zed ."))), DOUBTED);
    for path in ["home/.config/zed/global_settings.json", "home/.var/app/dev.zed.Zed/config/zed/settings.json"] {
        put(&world, path, r#"{"agent": {}}"#);
        assert_eq!(edit(&with(&world, &[], None)), None, "{path}");
        fs::remove_file(world.folder.path().join(path)).unwrap();
    }
    assert_eq!(edit(&with(&world, &[], Some("zed --user-data-dir x"))), DOUBTED);
}

#[test]
fn command_lines_of_these_agents_stand_for_settings() {
    assert!(
        text("q chat -a").contains(r#""all":true"#) && text("q chat --trust-all-tools fix").contains(r#""all":true"#)
    );
    assert!(text("q chat --trust-tools=fs_read,execute_bash").contains(r#"["fs_read","execute_bash"]"#));
    assert!(text("q chat --agent ops").contains(r#""agent":"ops""#));
    assert_eq!(started::Started::parse("q chat --no-interactive fix").unwrap().headless, Some(true));
    assert!(text("cn --readonly").contains(r#""mode":"plan""#) && text("cn -p fix").contains(r#""headless":true"#));
    assert!(text("cn --allow Bash --exclude Bash(rm*)").contains(r#""exclude":["Bash(rm*)"]"#));
    assert!(text("aider --no-suggest-shell-commands x.py").contains(r#""suggest-shell-commands":false"#));
    assert!(text("aider -m fix --yes-always").contains(r#""message":"fix","yes-always":true"#));
    for line in [
        "zed --user-data-dir x",
        "aider --yes",
        "aider --test-cmd pytest",
        "q login",
        "q chat --weird",
        "cn --auto --readonly",
        "cn --agent x/y",
        "cn --beta-subagent-tool",
        "cn serve",
        "goose run -t x",
        "goose session --resume",
    ] {
        assert!(started::Started::parse(line).unwrap().doubt.is_some(), "{line}");
    }
}
