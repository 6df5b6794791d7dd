//! Agents that live in editors, and those of their kind in a terminal.

use super::surroundings::{bash, with};
use super::*;

#[test]
fn vscode_is_read_with_its_profiles_and_workspaces() {
    let user = "home/.config/Code/User/settings.json";
    // What is approved for good counts for nothing where the tool may not run unasked.
    let world = World::new(&[
        (user, r#"{"chat.tools.eligibleForAutoApproval": {"runInTerminal": false}}"#),
        ("top/work/.git/HEAD", ""),
    ]);
    let asks = || bash(&with(&world, &[], None), "vscode");
    assert_eq!(asks(), Some(Decision::Ask));
    let all = r#"{"chat.tools.terminal.autoApprove": {"/.*/": true}}"#;
    let container = r#"{"customizations": {"vscode": {"settings": {"chat.tools.eligibleForAutoApproval": {"runInTerminal": true}}}}}"#;
    // Each of these leaves it open: a file, what it says, and what is taken away again.
    for (path, text, top) in [
        ("home/.config/Code - Insiders/User/settings.json", "{}", "home/.config/Code - Insiders"),
        ("home/.var/app/com.visualstudio.code/config/Code/User/x", "", "home/.var"),
        ("home/.config/Code/User/profiles/x/y", "", "home/.config/Code/User/profiles"),
        ("home/.config/Code/User/profiles/x/settings.json", all, "home/.config/Code/User/profiles"),
        ("home/.vscode-server/data/x", "", "home/.vscode-server"),
        (
            "top/work/x.code-workspace",
            r#"{"settings": {"chat.permissions.default": "autoApprove"}}"#,
            "top/work/x.code-workspace",
        ),
        ("top/work/.github/hooks/x.json", "{}", "top/work/.github"),
        ("top/work/.devcontainer/y/devcontainer.json", container, "top/work/.devcontainer"),
        ("top/work/.claude/agents/x.md", "---\nhooks: {}\n---\n", "top/work/.claude"),
    ] {
        let file = world.folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        assert_eq!(asks(), None, "{path}");
        let top = world.folder.path().join(top);
        if top.is_dir() {
            fs::remove_dir_all(top).unwrap();
        } else {
            fs::remove_file(top).unwrap();
        }
        assert_eq!(asks(), Some(Decision::Ask), "{path}");
    }
    // Many files do not hide one of them.
    let work = world.folder.path().join("top/work");
    for at in 0..300 {
        fs::write(work.join(format!("a{at}")), "").unwrap();
    }
    assert_eq!(asks(), Some(Decision::Ask));
    fs::write(work.join("z.code-workspace"), r#"{"settings": {"chat.permissions.default": "autoApprove"}}"#).unwrap();
    assert_eq!(asks(), None);
    fs::remove_file(work.join("z.code-workspace")).unwrap();
    let folder = world.folder.path().join("top/work/.vscode");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("settings.json"), r#"{"chat.permissions.default": "autopilot"}"#).unwrap();
    assert_eq!(asks(), Some(Decision::Allow));
}

#[test]
fn cline_is_read_where_it_keeps_files() {
    let state = "home/.cline/data/globalState.json";
    let off = r#"{"autoApprovalSettings": {"actions": {"executeSafeCommands": false}}}"#;
    let world = World::new(&[(state, off)]);
    let found = with(&world, &[], None);
    assert_eq!(bash(&found, "cline"), None);
    assert_eq!(bash(&found, "cline-cli"), Some(Decision::Allow));
    let world = World::new(&[
        ("home/.vscode/extensions/saoudrizwan.claude-dev-4.1.12/x", ""),
        ("home/.cline/data/settings/global-settings.json", r#"{"toolAutoApprove": false}"#),
    ]);
    let found = with(&world, &[], None);
    assert_eq!(bash(&found, "cline"), None);
    assert_eq!(bash(&found, "cline-cli"), Some(Decision::Ask));
    assert_eq!(bash(&with(&world, &[("CLINE_DATA_DIR", "/nowhere")], None), "cline-cli"), Some(Decision::Allow));
    assert_eq!(bash(&with(&world, &[("CLINE_TOOL_APPROVAL_MODE", "desktop")], None), "cline-cli"), None);
    let elsewhere = [("CLINE_GLOBAL_SETTINGS_PATH", "/nowhere/global-settings.json")];
    assert_eq!(bash(&with(&world, &elsewhere, None), "cline-cli"), Some(Decision::Allow));
}

#[test]
fn roo_is_not_known_where_its_switches_are_kept() {
    let kept = "home/.config/Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json";
    let world = World::new(&[(kept, "{}"), ("home/.roo/cli-settings.json", r#"{"requireApproval": true}"#)]);
    let found = with(&world, &[], None);
    assert_eq!(bash(&found, "roo-code"), None);
    assert_eq!(bash(&found, "roo-cli"), Some(Decision::Ask));
    fs::create_dir_all(world.folder.path().join("top/work/.roo/tools")).unwrap();
    assert_eq!(bash(&with(&world, &[], None), "roo-cli"), None);
    fs::write(world.folder.path().join("home/.config/Code/User/globalStorage/state.vscdb"), "").unwrap();
    assert_eq!(bash(&with(&world, &[], None), "roo-code"), None);
}

#[test]
fn crush_is_read_up_to_the_top_of_the_repository() {
    let world = World::new(&[
        ("home/.config/crush/crush.json", "{}"),
        ("crush.json", r#"{"options": {"disabled_tools": ["bash"]}}"#),
        ("top/.git/HEAD", ""),
        ("top/work/x", ""),
    ]);
    assert_eq!(bash(&with(&world, &[], None), "crush"), Some(Decision::Allow));
    fs::write(world.folder.path().join("top/.crush.json"), r#"{"options": {"disabled_tools": ["bash"]}}"#).unwrap();
    assert_eq!(bash(&with(&world, &[], None), "crush"), Some(Decision::Deny));
    let kept = world.folder.path().join("top/.crush");
    fs::create_dir_all(&kept).unwrap();
    fs::write(kept.join("crush.json"), r#"{"options": {"data_directory": "x"}}"#).unwrap();
    assert_eq!(bash(&with(&world, &[], None), "crush"), None);
    fs::remove_dir_all(kept).unwrap();
    fs::write(world.folder.path().join("top/work/crushrc"), "true").unwrap();
    assert_eq!(bash(&with(&world, &[], None), "crush"), None);
}

#[test]
fn qwen_is_read_with_what_lies_beside_its_settings() {
    let world =
        World::new(&[("home/.qwen/settings.json", r#"{"tools": {"approvalMode": "default"}}"#), ("top/work/x", "")]);
    // Lines that are not plain may be taken for ones that only read, so that the shell is open at worst.
    assert_eq!(bash(&with(&world, &[], None), "qwen-code"), None);
    let edit = |line| way(&with(&world, &[], line), "qwen-code/edit").decision.known().copied();
    let asks = || edit(None);
    assert_eq!(asks(), Some(Decision::Ask));
    for (path, text) in [
        ("top/work/.qwen/agents/x.md", "---\napprovalMode: yolo\n---\n"),
        ("home/.qwen/extensions/x/y", ""),
        ("top/.env", "QWEN_HOME=/x\n"),
    ] {
        let file = world.folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        assert_eq!(asks(), None, "{path}");
        fs::remove_file(&file).unwrap();
        let _ = fs::remove_dir(file.parent().unwrap());
    }
    let project = world.folder.path().join("top/work/.qwen/settings.json");
    fs::write(&project, r#"{"tools": {"approvalMode": "yolo"}}"#).unwrap();
    assert_eq!(asks(), Some(Decision::Allow));
    assert_eq!(edit(Some("qwen --approval-mode default")), Some(Decision::Ask));
}

#[test]
fn command_lines_of_these_agents_stand_for_settings() {
    let text = |line: &str| {
        let started = started::Started::parse(line).unwrap();
        started
            .over(started.agent.as_deref().unwrap(), "/x", Vec::new())
            .into_iter()
            .filter_map(|file| file.text.known().cloned())
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert!(text("cline --auto-approve false fix").contains(r#""auto-approve":false"#));
    assert!(text("cline -y fix").contains(r#""auto-approve":true"#));
    assert!(text("roo -a fix").contains("true") && text("roo fix").contains("false"));
    assert!(text("qwen --yolo").contains("yolo") && text("qwen -p hello").contains(r#""headless":true"#));
    assert!(text("qwen --exclude-tools Bash(rm *),Edit").contains(r#"["Bash(rm *)","Edit"]"#));
    assert!(text("crush --yolo").contains(r#""yolo":true"#) && text("crush run fix").contains(r#""run":true"#));
    assert!(text("crush --yolo=false").contains(r#""yolo":false"#));
    for line in [
        "cline --auto-approve maybe",
        "cline --hooks-dir x",
        "roo --weird",
        "crush -c x run",
        "code --profile x",
        "qwen --acp",
    ] {
        assert!(started::Started::parse(line).unwrap().doubt.is_some(), "{line}");
    }
}
