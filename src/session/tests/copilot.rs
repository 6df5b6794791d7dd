use super::*;

#[test]
fn copilot_is_read_with_its_approvals_hooks_and_skills() {
    let world = World::new(&[
        ("home/.copilot/settings.json", "{\n // mine\n \"defaultPermissionMode\": \"manual\"}"),
        ("top/.git/HEAD", ""),
        ("top/work/a", ""),
    ]);
    let approve = |folder: &str| {
        let key = world.folder.path().join(folder).display().to_string();
        let command = serde_json::json!({"kind": "commands", "commandIdentifiers": ["terraform:*"]});
        let text = serde_json::json!({"locations": {key: {"tool_approvals": [command]}}}).to_string();
        fs::write(world.folder.path().join("home/.copilot/permissions-config.json"), text).unwrap();
    };
    approve("top/work");
    let found = world.look(&["top/work"]);
    assert_eq!(found.sessions[1].agent, Agent::CopilotCli);
    // What GitHub's server says is never known.
    let why = |found: &Discovered| way(found, "copilot-cli/bash").decision.gap().unwrap().source.clone();
    let server = why(&found);
    assert!(server.as_str().contains("server"), "{server}");
    assert!(!found.ways.iter().any(|way| way.id.as_str() == "copilot-cli/cli/terraform"));
    approve("top");
    let found = world.look(&["top/work"]);
    let terraform = way(&found, "copilot-cli/cli/terraform");
    assert_eq!(terraform.decision, Fact::Known(Decision::Allow));
    assert!(terraform.because.contains("~/.copilot/permissions-config.json:1"), "{}", terraform.because);
    // A linked worktree has the approvals of the repository that it belongs to.
    let tree = world.folder.path().join("tree");
    fs::create_dir_all(tree.join("sub")).unwrap();
    let git = world.folder.path().join("top/.git/worktrees/tree");
    fs::write(tree.join(".git"), format!("gitdir: {}\n", git.display())).unwrap();
    let linked = world.look(&["tree/sub"]);
    assert_eq!(way(&linked, "copilot-cli/cli/terraform").decision, Fact::Known(Decision::Allow));
    for (path, text) in [
        ("top/.github/hooks/x.json", r#"{"version": 1, "hooks": {}}"#),
        ("top/.github/skills/x/SKILL.md", "---\nallowed-tools: shell\n---\n"),
        ("home/.copilot/extensions/x.mjs", ""),
        ("home/.copilot/installed-plugins/a/b.json", "{}"),
        ("top/.claude/settings.json", r#"{"hooks": {"PreToolUse": []}}"#),
    ] {
        let file = world.folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        let found = world.look(&["top/work"]);
        assert_ne!(why(&found), server, "{path}");
        fs::remove_file(&file).unwrap();
        fs::remove_dir_all(file.parent().unwrap()).unwrap();
    }
}
