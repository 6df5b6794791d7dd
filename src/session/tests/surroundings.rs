use super::super::started::Started;
use super::*;

fn write(world: &World, path: &str, text: impl AsRef<[u8]>) {
    let path = world.folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Looks with variables; `$` in one is the folder of the world.
pub(super) fn with(world: &World, env: &[(&str, &str)], started: Option<&str>) -> Discovered {
    let folder = world.folder.path().display().to_string();
    let env = env.iter().map(|(name, text)| ((*name).to_owned(), text.replace('$', &folder))).collect();
    let (home, system) = (world.folder.path().join("home"), world.folder.path().join("system"));
    let roots = [world.folder.path().join("top/work")];
    let now = Time::from_unix(1_795_500_000);
    let place = Where { home: Some(&home), roots: &roots, env: &env, system: &system, now };
    match started {
        None => discover(&place, &[]),
        Some(line) => discover_as(&place, &[], &Started::parse(line).unwrap(), None),
    }
}

pub(super) fn bash(found: &Discovered, agent: &str) -> Option<Decision> {
    way(found, &format!("{agent}/bash")).decision.known().copied()
}

#[test]
fn variables_in_a_project_may_move_the_folders_of_gemini() {
    let world = World::new(&[("home/.gemini/settings.json", "{}"), ("top/work/.env", "KEY=GEMINI\n")]);
    let asks = || bash(&with(&world, &[("GEMINI_CLI_TRUST_WORKSPACE", "true")], None), "gemini-cli");
    assert_eq!(asks(), Some(Decision::Ask));
    for path in ["top/work/.env", "top/work/.gemini/.env", "top/.env", "home/.gemini/.env", "home/.env"] {
        write(&world, path, "export GEMINI_CLI_HOME=elsewhere\n");
        assert_eq!(asks(), None, "{path}");
        fs::remove_file(world.folder.path().join(path)).unwrap();
    }
}

#[test]
fn files_of_the_system_that_others_may_write_may_be_passed_over() {
    let world = World::new(&[
        ("home/.gemini/settings.json", "{}"),
        ("system/etc/gemini-cli/settings.json", r#"{"tools":{"exclude":["run_shell_command"]}}"#),
    ]);
    // Everybody may write where the system of a test lies.
    assert_eq!(bash(&with(&world, &[], None), "gemini-cli"), None);
}

#[test]
fn a_flag_trusts_a_folder_of_gemini_whatever_a_variable_says() {
    let world = World::new(&[
        ("home/.gemini/settings.json", "{}"),
        ("top/work/.gemini/settings.json", r#"{"tools":{"allowed":["run_shell_command"]}}"#),
    ]);
    let env = [("GEMINI_CLI_TRUST_WORKSPACE", "false")];
    assert_eq!(bash(&with(&world, &env, Some("gemini")), "gemini-cli"), Some(Decision::Ask));
    assert_eq!(bash(&with(&world, &env, Some("gemini --skip-trust")), "gemini-cli"), Some(Decision::Allow));
}

#[test]
fn opencode_reads_every_folder_above_outside_of_a_repository() {
    let world = World::new(&[
        ("home/.config/opencode/opencode.json", r#"{"permission":"ask"}"#),
        ("top/work/a", ""),
        ("opencode.json", r#"{"permission":{"bash":"allow"}}"#),
    ]);
    assert_eq!(bash(&with(&world, &[], None), "opencode"), Some(Decision::Allow));
    // Git may not say that it is a repository.
    write(&world, "top/.git/HEAD", "");
    assert_eq!(bash(&with(&world, &[], None), "opencode"), None);
    fs::remove_file(world.folder.path().join("opencode.json")).unwrap();
    assert_eq!(bash(&with(&world, &[], None), "opencode"), Some(Decision::Ask));
}

#[test]
fn variables_of_opencode_are_read_as_it_reads_them() {
    let world = World::new(&[
        ("home/.config/opencode/opencode.json", r#"{"permission":"ask"}"#),
        ("home/.opencode/x.json", r#"{"permission":{"bash":"deny"}}"#),
        ("top/.git/HEAD", ""),
        ("top/work/opencode.json", r#"{"permission":{"bash":"allow"}}"#),
    ]);
    let met = |env: &[(&str, &str)]| bash(&with(&world, env, None), "opencode");
    assert_eq!(met(&[]), Some(Decision::Allow));
    for (word, decision) in
        [("0", Decision::Allow), ("false", Decision::Allow), ("1", Decision::Ask), ("TRUE", Decision::Ask)]
    {
        assert_eq!(met(&[("OPENCODE_DISABLE_PROJECT_CONFIG", word)]), Some(decision), "{word}");
    }
    assert_eq!(met(&[("OPENCODE_CONFIG", "$/home/.opencode/x.json")]), Some(Decision::Allow));
    let login = r#"{"https://x": {"type": "wellknown", "key": "K", "token": "t"}}"#;
    assert_eq!(met(&[("OPENCODE_AUTH_CONTENT", login)]), None);
}

#[test]
fn an_account_of_opencode_may_bring_settings() {
    let world = World::new(&[("home/.config/opencode/opencode.json", r#"{"permission":"ask"}"#)]);
    let data = "home/.local/share/opencode";
    let asks = |env: &[(&str, &str)]| bash(&with(&world, env, None), "opencode");
    write(&world, &format!("{data}/opencode.db"), b"SQLite format 3\0\x00u@example.com https://example.com");
    assert_eq!(asks(&[]), Some(Decision::Ask));
    let row = b"\x05\x07acc_1u@example.comhttps://console.example.comsecret";
    for path in ["opencode.db", "opencode.db-wal", "opencode-dev.db"] {
        // It may lie where two parts that are looked at meet.
        for at in [100, (1 << 20) - 20, (1 << 20) + 1] {
            let mut text = vec![0_u8; 3 << 20];
            text[at..at + row.len()].copy_from_slice(row);
            write(&world, &format!("{data}/{path}"), text);
            let found = with(&world, &[], None);
            assert_eq!(bash(&found, "opencode"), None, "{path} {at}");
            assert!(!format!("{found:?}").contains("u@example.com"));
        }
        fs::remove_file(world.folder.path().join(data).join(path)).unwrap();
    }
    assert_eq!(asks(&[]), Some(Decision::Ask));
    write(&world, &format!("{data}/mine.sqlite"), row);
    assert_eq!(asks(&[("OPENCODE_DB", "mine.sqlite")]), None);
    assert_eq!(asks(&[("OPENCODE_DB", "$/home/.local/share/opencode/mine.sqlite")]), None);
}
