//! Agent programs as a user meets them: a session, its tools, a finding with the place, and no answer that rests on their gates.

use serde_json::Value;

use crate::program::Place;

const TOOL: &str = r#"import os
import requests
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain.tools import tool


@tool
def delete_volume(volume: str) -> str:
    """Delete a volume."""
    headers = {"Authorization": "Bearer " + os.environ["RAILWAY_API_TOKEN"]}
    query = {"query": "mutation { volumeDelete(volumeId: \"v\") }"}
    return requests.post("https://backboard.railway.com/graphql/v2", headers=headers, json=query).text


agent = create_agent("model", tools=[delete_volume], middleware=[HumanInTheLoopMiddleware(interrupt_on={"NAME": True})])
"#;

const TOKEN: &str = "RAILWAY_API_TOKEN=7d9f6d3a-1b2c-4d5e-8f90-a1b2c3d4e5f6\n";

fn assessed(name: &str) -> Value {
    let place = Place::new();
    place.write("work/shop/.env", TOKEN);
    place.write("work/shop/services/ops/requirements.txt", "langchain\n");
    place.write("work/shop/services/ops/agent.py", &TOOL.replace("NAME", name));
    let ran = place.run(&["run", "work/shop", "-o", "out"]);
    assert!(!ran.out.contains("7d9f6d3a"), "{}", ran.out);
    serde_json::from_str(&place.read("out/assessment.json")).unwrap()
}

fn session(assessment: &Value) -> &Value {
    let sessions = assessment["sessions"].as_array().unwrap();
    sessions.iter().find(|session| session["agent"] == "program").unwrap()
}

fn finding<'a>(assessment: &'a Value, session: &Value) -> &'a Value {
    let findings = assessment["findings"].as_array().unwrap();
    let of = |finding: &&Value| {
        finding["check"] == "agent-program-asks-before-it-destroys"
            && finding.to_string().contains(session["key"].as_str().unwrap())
    };
    findings.iter().find(of).unwrap_or_else(|| panic!("no finding for {session}"))
}

/// A gate that is keyed on a misspelt name covers nothing; one that covers the tool is told, and stops nothing all the same.
#[test]
fn a_tool_is_told_with_its_gate_and_stops_nothing() {
    for (name, verdict, approval) in
        [("delete_volumes", "fail", "does not cover it"), ("delete_volume", "pass", "wait for an answer")]
    {
        let assessment = assessed(name);
        let session = session(&assessment);
        assert_eq!(session["key"], "program:services/ops");
        let ways = session["ways"].as_array().unwrap();
        let tool = ways.iter().find(|way| way["name"] == "tool delete_volume").unwrap();
        assert!(tool["because"].as_str().unwrap().contains("railway/volumeDelete"), "{tool}");
        assert!(tool["because"].as_str().unwrap().contains(approval), "{tool}");
        let finding = finding(&assessment, session);
        assert_eq!(finding["verdict"], verdict, "{finding}");
        let mine = session["id"].as_str().unwrap();
        let paths = assessment["paths"].as_array().unwrap().iter().filter(|path| path["session"] == mine);
        assert!(paths.clone().count() > 0);
        assert!(paths.clone().all(|path| path["answer"] != "stopped"), "{name}");
    }
}
