//! Programs as they lie in folders.

use std::fs;

use super::*;

const AGENT: &str = r#"
from langchain.agents import create_agent
from langchain.tools import tool
from app.railway import delete


@tool
def delete_volume(volume: str) -> str:
    """Delete a volume."""
    return delete(volume)


agent = create_agent("model", tools=[delete_volume])
"#;

const RAILWAY: &str = r#"
import requests

API = "https://backboard.railway.com/graphql/v2"


def delete(volume):
    return requests.post(API, json={"query": "mutation { volumeDelete(volumeId: \"v\") }"}).text
"#;

fn program() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("services/ops/app")).unwrap();
    fs::write(folder.path().join("services/ops/requirements.txt"), "langchain\n").unwrap();
    fs::write(folder.path().join("services/ops/agent.py"), AGENT).unwrap();
    fs::write(folder.path().join("services/ops/app/railway.py"), RAILWAY).unwrap();
    folder
}

fn look(root: &Path) -> Programs {
    discover(&[root.to_path_buf()], None, Time::from_unix(0), Duration::from_secs(60), &AtomicBool::new(false))
}

#[test]
fn a_tool_reaches_what_the_files_of_its_program_do() {
    let folder = program();
    let found = look(folder.path());
    assert_eq!(found.gap, None);
    let [session] = found.sessions.as_slice() else { panic!("{found:?}") };
    assert_eq!(session.id.as_str(), "program:services/ops");
    assert!(session.ways.known().is_some(), "{found:?}");
    let [way, rest] = found.ways.as_slice() else { panic!("{found:?}") };
    assert_eq!(way.carries, ["railway/volumeDelete"]);
    assert!(!way.reads);
    // Code may do more than is found in it.
    assert!(rest.decision.gap().is_some() && rest.reads && rest.carries == ["*"]);
}

#[test]
fn installed_packages_are_no_programs_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    for below in ["node_modules/langchain", ".venv/lib/python3.12/site-packages/langchain"] {
        fs::create_dir_all(folder.path().join(below)).unwrap();
        fs::write(folder.path().join(below).join("agent.py"), AGENT).unwrap();
    }
    assert!(look(folder.path()).sessions.is_empty());
}

#[test]
fn no_link_is_followed_to_another_folder() {
    let folder = program();
    let other = tempfile::tempdir().unwrap();
    let module = folder.path().join("services/ops/app/railway.py");
    fs::rename(&module, other.path().join("railway.py")).unwrap();
    std::os::unix::fs::symlink(other.path().join("railway.py"), &module).unwrap();
    let found = look(folder.path());
    let [session] = found.sessions.as_slice() else { panic!("{found:?}") };
    // What `delete` does is not known then, and that is a gap.
    assert!(session.ways.gap().is_some());
    assert!(found.ways.iter().all(|way| way.decision.gap().is_some() || way.carries.is_empty()));
}

#[test]
fn a_file_that_is_too_long_leaves_its_tools_in_doubt() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("agent.py"), format!("{AGENT}\n# {}", "x".repeat(LONGEST))).unwrap();
    let found = look(folder.path());
    let [session] = found.sessions.as_slice() else { panic!("{found:?}") };
    assert!(session.ways.gap().is_some());
}

#[test]
fn no_secret_of_the_code_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "sk_live_9aF3kQ7xZ2mN8vB4cL6pR1tY";
    let code = format!(
        "import x_{secret} as odd\nfrom langchain.tools import tool\nfrom langchain.agents import create_agent\n\n\n@tool(\"{secret}\")\ndef act(a):\n    odd.run(\"{secret}\")\n    subprocess.run([\"{secret}\", a])\n\n\nagent = create_agent(\"m\", tools=[act, \"{secret}\"])\n"
    );
    fs::write(folder.path().join("agent.py"), code).unwrap();
    fs::write(
        folder.path().join("web.ts"),
        format!("import {{ tool, generateText }} from \"ai\";\nimport run from \"https://u:{secret}@host/m.ts?key={secret}\";\nawait generateText({{ tools: {{ \"{secret}\": tool({{ execute: async () => run(\"{secret}\") }}) }} }});\n"),
    )
    .unwrap();
    let found = look(folder.path());
    assert!(!found.sources.is_empty());
    let all = format!("{found:?}");
    assert!(!all.contains(secret), "{all}");
}
