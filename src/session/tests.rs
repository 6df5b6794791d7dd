use std::fs;

use deadstop_core::fact::GapReason;
use deadstop_core::model::Override;

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

/// How many calls of the corpus run, ask, are refused and are open, over all ways.
fn counted(found: &mut Discovered, session: &str) -> [u32; 4] {
    found.tally();
    let session = found.sessions.iter().find(|one| one.id.as_str() == session).unwrap();
    let rows = &session.tally.as_ref().unwrap().rows;
    rows.iter().fold([0; 4], |[a, b, c, d], row| [a + row.allow, b + row.ask, c + row.deny, d + row.unknown])
}

#[test]
fn gates_are_asked_about_the_corpus() {
    let world = World::new(&[
        ("home/.claude/settings.json", r#"{"permissions":{"defaultMode":"dontAsk"}}"#),
        ("b/.claude/settings.local.json", r#"{"permissions":{"defaultMode":"bypassPermissions"}}"#),
    ]);
    let [runs, asks, refused, open] = counted(&mut world.look(&["a"]), "plain");
    assert!(runs >= 180 && asks + refused + open == 0, "a program of the user meets no gate");
    let strict = counted(&mut world.look(&["a"]), "claude-code");
    assert_eq!(strict, [0, 0, runs, 0], "what would be asked is refused");
    let free = counted(&mut world.look(&["b"]), "claude-code");
    // What is not cut into commands may be asked about or not.
    assert!(free[0] > 180 && free[1] > 0 && free[2] == 0, "{free:?}: it always asks about the root and the home");
    assert_eq!(counted(&mut world.look(&["a", "b"]), "claude-code"), free, "the freer folder counts");
    let found = world.look(&["a"]);
    assert!(found.sessions.iter().all(|session| session.tally.is_none()), "until they are asked");
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

#[test]
fn cursor_without_settings_is_known_to_be_there_and_nothing_more() {
    let world = World::new(&[("work/.cursor/rules/a.mdc", "be careful")]);
    let found = world.look(&["work"]);
    assert_eq!(found.sessions.len(), 2);
    assert_eq!(found.sessions[1].agent, Agent::Cursor);
    assert!(way(&found, "cursor/bash").decision.gap().is_some());
    assert_eq!(way(&found, "cursor/read").decision, Fact::Known(Decision::Allow));
    let ids: Vec<_> = found.sources.iter().map(|source| source.id.clone()).collect();
    assert!(found.ways.iter().flat_map(|way| &way.sources).all(|source| ids.contains(source)));
}

#[test]
fn three_agents_in_one_home_each_have_their_own_answer() {
    let world = World::new(&[
        ("home/.claude/settings.json", r#"{"permissions":{"defaultMode":"default"}}"#),
        ("home/.cursor/permissions.json", r#"{"terminalAllowlist":["python3"]}"#),
        (
            "home/.cursor/cli-config.json",
            r#"{"approvalMode":"allowlist","sandbox":{"mode":"disabled"},"permissions":{"deny":["Shell(*)"]}}"#,
        ),
    ]);
    let found = world.look(&["work"]);
    let ids: Vec<&str> = found.sessions.iter().map(|session| session.id.as_str()).collect();
    assert_eq!(ids.iter().filter(|id| ["claude-code", "cursor", "cursor-cli"].contains(id)).count(), 3);
    assert_eq!(way(&found, "claude-code/bash").decision, Fact::Known(Decision::Ask));
    assert_eq!(way(&found, "cursor/bash").decision, Fact::Known(Decision::Allow));
    let denied = way(&found, "cursor-cli/bash");
    assert_eq!(denied.decision, Fact::Known(Decision::Deny));
    assert!(!denied.overrides.is_empty(), "its settings are the session's own");
}

#[test]
fn a_project_that_refuses_everything_makes_cursor_no_stricter() {
    let open = ("home/.cursor/cli-config.json", r#"{"approvalMode":"unrestricted"}"#);
    let strict = ("work/.cursor/cli.json", r#"{"permissions":{"deny":["Shell(*)","Mcp(*:*)"]}}"#);
    let world = World::new(&[open, strict]);
    assert!(way(&world.look(&["work"]), "cursor-cli/bash").decision.gap().is_some());
    assert_eq!(way(&world.look(&["other"]), "cursor-cli/bash").decision, Fact::Known(Decision::Allow));
}

#[test]
fn hostile_settings_of_cursor_are_gaps() {
    let deep = "[".repeat(100_000);
    let world = World::new(&[
        ("home/.cursor/permissions.json", deep.as_str()),
        ("work/.cursor/hooks.json", "{\"hooks\":{\"preToolUse\":[{\"command\":\"touch ran\"}]}}"),
        ("elsewhere.json", r#"{"type":"workspace_readonly"}"#),
    ]);
    let link = world.folder.path().join("work/.cursor/sandbox.json");
    std::os::unix::fs::symlink(world.folder.path().join("elsewhere.json"), link).unwrap();
    let found = world.look(&["work"]);
    let bash = way(&found, "cursor/bash");
    assert!(bash.decision.gap().is_some());
    assert_eq!(found.sessions[1].ways.gap().map(|gap| gap.reason), Some(GapReason::NotAsked));
    assert!(found.notes.iter().any(|note| note.contains("may say anything")), "{:?}", found.notes);
    assert!(!world.folder.path().join("work/ran").exists());
}

#[test]
fn an_administrators_hook_is_found_on_both_systems() {
    for path in ["system/etc/cursor/hooks.json", "system/Library/Application Support/Cursor/hooks.json"] {
        let world = World::new(&[
            (path, r#"{"hooks":{"beforeShellExecution":[{"command":"x"}]}}"#),
            ("home/.cursor/permissions.json", r#"{"terminalAllowlist":["python3"]}"#),
        ]);
        assert!(way(&world.look(&["work"]), "cursor/bash").decision.gap().is_some(), "{path}");
    }
}

#[test]
fn a_config_folder_that_is_set_elsewhere_is_read_there() {
    let world = World::new(&[
        ("xdg/cursor/cli-config.json", r#"{"approvalMode":"unrestricted"}"#),
        ("home/.cursor/cli-config.json", r#"{"approvalMode":"allowlist","sandbox":{"mode":"disabled"}}"#),
    ]);
    let (home, system) = (world.folder.path().join("home"), world.folder.path().join("system"));
    let xdg = world.folder.path().join("xdg").display().to_string();
    let env = BTreeMap::from([("XDG_CONFIG_HOME".to_owned(), xdg)]);
    let roots = [world.folder.path().join("work")];
    let now = Time::from_unix(1_795_500_000);
    let found = discover(&Where { home: Some(&home), roots: &roots, env: &env, system: &system, now }, &[]);
    assert_eq!(way(&found, "cursor-cli/bash").decision, Fact::Known(Decision::Allow));
}

const ASKS: (&str, &str) = ("home/.claude/settings.json", r#"{"permissions":{"defaultMode":"default"}}"#);

#[test]
fn what_a_repository_brings_cannot_make_the_gate_look_stricter() {
    let deep = format!(
        "{{\"permissions\":{{\"defaultMode\":\"bypassPermissions\"}},\"x\":{}1{}}}",
        "[".repeat(400),
        "]".repeat(400)
    );
    let hook = r#"{"hooks":{"PermissionRequest":[{"hooks":[{"type":"command","command":"./yes"}]}]}}"#;
    let half = r#"{"x":"\ud800","permissions":{"defaultMode":"bypassPermissions"}}"#;
    let plugin = r#"{"enabledPlugins":{"any@place":true}}"#;
    let agent = "---\nname: a\npermissionMode: bypassPermissions\n---\nRun it.";
    let skill = "---\nname: s\nallowed-tools: Bash\n---\nRun it.";
    let (settings, agents) = ("work/.claude/settings.json", "work/.claude/agents/deep/a.md");
    for (path, text) in [
        (settings, deep.as_str()),
        (settings, half),
        (settings, hook),
        (settings, plugin),
        (agents, agent),
        ("work/.claude/skills/s/SKILL.md", skill),
        ("work/.claude/commands/go.md", skill),
    ] {
        let found = World::new(&[ASKS, (path, text)]).look(&["work"]);
        assert!(way(&found, "claude-code/bash").decision.gap().is_some(), "{path}: {text:.60}");
    }
    let plain = World::new(&[ASKS, (agents, "---\nname: a\n---\nallowed-tools: Bash")]).look(&["work"]);
    assert_eq!(way(&plain, "claude-code/bash").decision, Fact::Known(Decision::Ask));
}

#[test]
fn what_plugins_bring_is_not_listed() {
    let on = r#"{"enabledPlugins":{"any@place":true}}"#;
    let off = r#"{"enabledPlugins":{"any@place":false}}"#;
    let codex = "[plugins.\"any@place\"]\nenabled = true\n";
    for (path, text, session, whole) in [
        ("home/.claude/settings.json", on, "claude-code", false),
        ("work/.claude/settings.json", on, "claude-code", false),
        ("home/.claude/settings.json", off, "claude-code", true),
        ("home/.codex/config.toml", codex, "codex", false),
        ("home/.codex/config.toml", "", "codex", true),
    ] {
        let found = World::new(&[(path, text)]).look(&["work"]);
        let session = found.sessions.iter().find(|one| one.id.as_str() == session).unwrap();
        assert_eq!(session.ways.gap().is_none(), whole, "{path}: {text}");
    }
}

#[test]
fn a_definition_behind_a_link_is_a_gap() {
    let world = World::new(&[ASKS, ("elsewhere/a.md", "x"), ("work/.claude/settings.json", "{}")]);
    let link = world.folder.path().join("work/.claude/agents");
    std::os::unix::fs::symlink(world.folder.path().join("elsewhere"), link).unwrap();
    assert!(way(&world.look(&["work"]), "claude-code/bash").decision.gap().is_some());
}

#[test]
fn local_settings_below_the_top_of_a_repository_are_not_sure_to_be_read() {
    let world = World::new(&[
        ("top/.git/HEAD", ""),
        ("top/.claude/settings.local.json", r#"{"permissions":{"defaultMode":"bypassPermissions"}}"#),
        ("top/work/.claude/settings.local.json", r#"{"permissions":{"defaultMode":"dontAsk","deny":["Bash"]}}"#),
    ]);
    let found = world.look(&["top/work"]);
    let bash = way(&found, "claude-code/bash");
    assert!(bash.decision.gap().is_some(), "{}", bash.because);
}

#[test]
fn managed_settings_are_read_where_macos_has_them() {
    let path = "system/Library/Application Support/ClaudeCode/managed-settings.json";
    let world = World::new(&[(path, r#"{"permissions":{"deny":["Bash"]}}"#)]);
    assert_eq!(way(&world.look(&["work"]), "claude-code/bash").decision, Fact::Known(Decision::Deny));
}

#[test]
fn what_one_folder_lets_change_counts_beside_another_that_only_asks() {
    let ask = |overrides| Way { decision: Fact::Known(Decision::Ask), overrides, ..plain_way() };
    let step = Override { needs: Vec::new(), because: "edit it".to_owned(), sources: Vec::new() };
    let refused = Way { decision: Fact::Known(Decision::Deny), overrides: vec![step], ..plain_way() };
    for (one, other) in [(ask(Vec::new()), refused.clone()), (refused, ask(Vec::new()))] {
        let joined = join::ways(vec![one], vec![other]);
        assert_eq!(joined[0].decision, Fact::Known(Decision::Ask));
        assert_eq!(joined[0].overrides.len(), 1);
    }
}

fn plain_way() -> Way {
    World::new(&[]).look(&[]).ways.into_iter().next().unwrap()
}

const TRUSTED: &str = "trust_level = \"trusted\"";

/// Settings of Codex for a folder of that world.
fn codex(world: &World, folder: &str, settings: &str, trust: &str) {
    let root = world.folder.path().join(folder).display().to_string();
    let path = world.folder.path().join("home/.codex/config.toml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("{settings}[projects.\"{root}\"]\n{trust}\n")).unwrap();
}

#[test]
fn codex_is_read_with_the_rules_beside_its_settings() {
    let world = World::new(&[("home/.codex/rules/mine.rules", "# mine\nprefix_rule(pattern=[\"terraform\"])\n")]);
    codex(&world, "work", "", TRUSTED);
    let found = world.look(&["work"]);
    assert_eq!(found.sessions[1].agent, Agent::Codex);
    assert_eq!(found.sessions[1].ways, Fact::Known(Listed::Complete));
    assert_eq!(way(&found, "codex/bash").contained, Fact::Known(true));
    let terraform = way(&found, "codex/cli/terraform");
    assert_eq!((&terraform.decision, &terraform.contained), (&Fact::Known(Decision::Allow), &Fact::Known(false)));
    assert!(terraform.because.contains("~/.codex/rules/mine.rules:2"), "{}", terraform.because);
    let ids: Vec<_> = found.sources.iter().map(|source| source.id.clone()).collect();
    assert!(found.ways.iter().flat_map(|way| &way.sources).all(|source| ids.contains(source)));
}

#[test]
fn a_codex_project_counts_where_it_is_trusted() {
    let free = "approval_policy = \"never\"\nsandbox_mode = \"danger-full-access\"\n";
    let world = World::new(&[("top/.git/HEAD", ""), ("top/.codex/config.toml", free), ("top/work/a", "")]);
    codex(&world, "top/work", "", TRUSTED);
    // What lies between the folder and the top of its repository counts.
    assert_eq!(way(&world.look(&["top/work"]), "codex/bash").contained, Fact::Known(false));
    codex(&world, "top/work", "", "trust_level = \"untrusted\"");
    assert_eq!(way(&world.look(&["top/work"]), "codex/bash").decision, Fact::Known(Decision::Ask));
    codex(&world, "other", "", TRUSTED);
    assert!(way(&world.look(&["top/work"]), "codex/bash").contained.gap().is_some());
    // And nothing above it.
    fs::create_dir_all(world.folder.path().join("top/work/.git")).unwrap();
    codex(&world, "top/work", "", TRUSTED);
    assert_eq!(way(&world.look(&["top/work"]), "codex/bash").contained, Fact::Known(true));
}

#[test]
fn codex_is_read_where_its_home_is_set() {
    let world = World::new(&[
        ("moved/config.toml", "approval_policy = \"never\"\nsandbox_mode = \"danger-full-access\"\n"),
        ("home/.codex/config.toml", "approval_policy = \"untrusted\"\n"),
    ]);
    let (home, system) = (world.folder.path().join("home"), world.folder.path().join("system"));
    let env = BTreeMap::from([("CODEX_HOME".to_owned(), world.folder.path().join("moved").display().to_string())]);
    let roots = [world.folder.path().join("work")];
    let now = Time::from_unix(1_795_500_000);
    let found = discover(&Where { home: Some(&home), roots: &roots, env: &env, system: &system, now }, &[]);
    assert_eq!(way(&found, "codex/bash").decision, Fact::Known(Decision::Allow));
}

#[test]
fn what_a_server_or_a_device_profile_requires_of_codex_is_a_gap() {
    let open = |path: &str, text: &str| {
        let world = World::new(&[(path, text)]);
        codex(&world, "work", "", TRUSTED);
        world.look(&["work"]).sessions[1].ways.gap().is_some()
    };
    let served = "home/.codex/cloud-config-bundle-cache.json";
    let bundle = |list: &str| {
        format!(r#"{{"signed_payload":{{"bundle":{{"config_toml":{{"enterprise_managed":[{list}]}}}}}}}}"#)
    };
    assert!(!open(served, &bundle("")));
    assert!(open(served, &bundle(r#""x""#)) && open(served, "{}"));
    assert!(open("system/Library/Managed Preferences/com.openai.codex.plist", "x"));
    assert!(open("system/Library/Managed Preferences/u/com.openai.codex.plist", "x"));
}

#[test]
fn hostile_settings_of_codex_are_gaps() {
    let deep = format!("prefix_rule(pattern={})", "[".repeat(2_000_000));
    let big = "# x\n".repeat(3_000_000);
    for (path, text) in [
        ("work/.codex/config.toml", "a = [[[[".repeat(50_000)),
        ("work/.codex/rules/a.rules", deep),
        ("work/.codex/rules/b.rules", big),
        ("work/.codex/rules/c.rules", "load(\"x\")".to_owned()),
    ] {
        let world = World::new(&[(path, text.as_str())]);
        codex(&world, "work", "approval_policy = \"untrusted\"\n", TRUSTED);
        assert!(way(&world.look(&["work"]), "codex/bash").decision.gap().is_some(), "{path}");
    }
    let world = World::new(&[("elsewhere/a.rules", "")]);
    codex(&world, "work", "approval_policy = \"untrusted\"\n", TRUSTED);
    fs::create_dir_all(world.folder.path().join("work/.codex")).unwrap();
    let link = world.folder.path().join("work/.codex/rules");
    std::os::unix::fs::symlink(world.folder.path().join("elsewhere"), link).unwrap();
    assert!(way(&world.look(&["work"]), "codex/bash").decision.gap().is_some());
}

#[test]
fn gemini_is_read_with_its_policies_and_extensions() {
    let trust = |world: &World| {
        let work = world.folder.path().join("work").display().to_string();
        let text = serde_json::json!({ work: "TRUST_FOLDER" }).to_string();
        fs::write(world.folder.path().join("home/.gemini/trustedFolders.json"), text).unwrap();
    };
    let world = World::new(&[
        ("home/.gemini/settings.json", "{}"),
        (
            "home/.gemini/policies/mine.toml",
            "[[rule]]\ntoolName = \"run_shell_command\"\ncommandPrefix = \"terraform\"\ndecision = \"allow\"\npriority = 1\n",
        ),
        ("work/.gemini/policies/x.toml", "[[rule]]\ntoolName = \"*\"\ndecision = \"deny\"\npriority = 999\n"),
    ]);
    trust(&world);
    let found = world.look(&["work"]);
    assert_eq!(found.sessions[1].agent, Agent::GeminiCli);
    // Whatever is asked about runs if an argument is added that begins as what is allowed does.
    let bash = way(&found, "gemini-cli/bash");
    assert!(bash.decision.gap().is_some(), "{:?}", bash.decision);
    let terraform = way(&found, "gemini-cli/cli/terraform");
    assert_eq!(terraform.decision, Fact::Known(Decision::Allow));
    assert!(terraform.because.contains("~/.gemini/policies/mine.toml:1"), "{}", terraform.because);
    assert!(found.notes.iter().any(|note| note.contains("x.toml")), "{:?}", found.notes);
    assert_eq!(found.sessions[1].ways, Fact::Known(Listed::Complete));
    let extended = World::new(&[
        ("home/.gemini/extensions/x/gemini-extension.json", "{}"),
        ("home/.gemini/extensions/x/hooks/hooks.json", "{}"),
    ]);
    trust(&extended);
    let found = extended.look(&["work"]);
    assert!(found.sessions[1].ways.gap().is_some());
    assert!(way(&found, "gemini-cli/bash").decision.gap().is_some());
    let link = world.folder.path().join("home/.gemini/policies");
    fs::rename(&link, world.folder.path().join("home/elsewhere")).unwrap();
    std::os::unix::fs::symlink(world.folder.path().join("home/elsewhere"), &link).unwrap();
    assert!(way(&world.look(&["work"]), "gemini-cli/bash").decision.gap().is_some());
}

#[test]
fn opencode_is_read_with_its_agents_and_plugins() {
    let world = World::new(&[
        (
            "home/.config/opencode/opencode.jsonc",
            "{\n // mine\n \"permission\": {\"bash\": {\"*\": \"ask\", \"terraform *\": \"allow\"}}}",
        ),
        ("top/.git/HEAD", ""),
        ("top/opencode.json", r#"{"permission": {"bash": {"vercel *": "allow"}}}"#),
        ("top/work/a", ""),
    ]);
    let found = world.look(&["top/work"]);
    assert_eq!(found.sessions[1].agent, Agent::OpenCode);
    assert_eq!(way(&found, "opencode/bash").decision, Fact::Known(Decision::Ask));
    let terraform = way(&found, "opencode/cli/terraform");
    assert!(terraform.because.contains("~/.config/opencode/opencode.jsonc:3"), "{}", terraform.because);
    assert_eq!(way(&found, "opencode/cli/vercel").decision, Fact::Known(Decision::Allow));
    for (path, text) in [
        ("top/.opencode/plugin/x.ts", "export default 1"),
        ("top/.opencode/agents/x.md", "---\npermission: allow\n---\n"),
        ("home/.local/share/opencode/auth.json", r#"{"https://x": {"type": "wellknown", "key": "K", "token": "t"}}"#),
    ] {
        let file = world.folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        let found = world.look(&["top/work"]);
        assert!(way(&found, "opencode/bash").decision.gap().is_some(), "{path}");
        assert!(!format!("{:?}", found.sources).contains("\"t\""));
        fs::remove_file(&file).unwrap();
    }
}

mod closed;
mod copilot;
mod editors;
mod others;
mod surroundings;
