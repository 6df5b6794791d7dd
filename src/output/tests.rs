use super::*;
use std::os::unix::fs::symlink;

fn files(text: &str) -> [(&'static str, String); 2] {
    [("report.html", text.to_owned()), ("calls.jsonl", String::new())]
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_report_is_private_whole_and_can_be_written_again() {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("deep/report");
    for text in ["first", "second"] {
        report(&folder, &files(text)).unwrap();
        assert_eq!(fs::read_to_string(folder.join("report.html")).unwrap(), text);
    }
    assert_eq!(names(&folder), [".gitignore", "calls.jsonl", "manifest.json", "report.html"]);
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(folder.join("report.html")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(names(&parent.path().join("deep")), ["report"]);
}

#[test]
fn a_foreign_folder_is_left_as_it_was() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("manifest.json"), "{\"schema\": \"another/1\"}").unwrap();
    assert!(matches!(report(folder.path(), &files("x")), Err(OutputError::Foreign(_))));
    assert_eq!(names(folder.path()), ["manifest.json"]);
}

#[test]
fn what_an_interrupted_run_left_is_no_foreign_folder() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join(".deadstop-x1")).unwrap();
    report(folder.path(), &files("x")).unwrap();
}

#[test]
fn a_planted_link_is_replaced_and_not_followed() {
    let folder = TempDir::new().unwrap();
    report(folder.path(), &files("x")).unwrap();
    let precious = TempDir::new().unwrap();
    let target = precious.path().join("file");
    fs::write(&target, "precious").unwrap();
    fs::remove_file(folder.path().join("report.html")).unwrap();
    symlink(&target, folder.path().join("report.html")).unwrap();
    report(folder.path(), &files("y")).unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    assert_eq!(fs::read_to_string(folder.path().join("report.html")).unwrap(), "y");
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("facts.json");
    file(&path, "one").unwrap();
    file(&path, "two").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "two");
    assert_eq!(names(folder.path()), ["facts.json"]);
    let error = file(Path::new("/proc/deadstop"), "x").unwrap_err().to_string();
    assert!(error.starts_with("cannot write `/proc/deadstop`: "), "{error}");
    assert!(matches!(usable(Path::new("-")), Err(OutputError::Folder)));
}

#[test]
fn a_device_is_written_to_and_a_link_is_written_through() {
    file(Path::new("/dev/null"), "x").unwrap();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    let error = file(Path::new("/dev/full"), "x").unwrap_err().to_string();
    assert!(error.contains("No space left"), "{error}");
    let folder = TempDir::new().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    fs::write(&real, "old").unwrap();
    symlink(&real, &link).unwrap();
    file(&link, "new").unwrap();
    assert_eq!(fs::read_to_string(&real).unwrap(), "new");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn a_hostile_name_does_not_steer_the_terminal() {
    assert_eq!(safe("a\u{1b}[2J\u{202e}b\n"), "a\u{fffd}[2J\u{fffd}b\n");
}

#[test]
fn a_panic_tells_where_and_not_what() {
    static TOLD: std::sync::Mutex<String> = std::sync::Mutex::new(String::new());
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|panic| *TOLD.lock().unwrap() = panicked(panic)));
    let secret = "Zk7Qm2Xw9Rt4Lp8Vb3";
    let done = std::thread::spawn(move || assert!(secret.is_empty(), "{secret}")).join();
    std::panic::set_hook(before);
    assert!(done.is_err());
    let told = TOLD.lock().unwrap().clone();
    assert!(told.starts_with("deadstop: internal error (src/output/tests.rs:") && !told.contains(secret), "{told}");
}
