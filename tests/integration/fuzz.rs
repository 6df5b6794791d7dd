//! The fuzz bodies on the stable toolchain: what is right, and that with a few things put wrong.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

#[path = "../../fuzz/bodies.rs"]
mod bodies;

use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

use crate::program::{Place, sources};

/// Texts that each body takes for right, to begin from.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let read = |path: &str| fs::read(sources().join(path)).unwrap();
    let all = |folder: &str| -> Vec<Vec<u8>> {
        let entries = fs::read_dir(sources().join(folder)).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
        paths.sort();
        paths.into_iter().take(12).map(|path| fs::read(path).unwrap()).collect()
    };
    match name {
        "assessment" => vec![read("tests/report/empty.json"), demo("assessment.json")],
        "bundle" => vec![demo("facts.json")],
        "check" => all("checks/recovery"),
        "condition" => vec![b"asset.class == 'database' && asset.protections.exists(p, p.locked)".to_vec()],
        "config" => {
            let text = String::from_utf8(read("docs/configuration.md")).unwrap();
            text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap().into()).collect()
        }
        "gate" => {
            let text = String::from_utf8(read("tests/gates/claude-code/cases.yaml")).unwrap();
            let mut seeds: Vec<Vec<u8>> =
                text.lines().filter_map(|line| line.split_once(": '{")).map(|(_, json)| format!("{{{}", json.trim_end_matches(['\'', '}', ','])).into()).take(20).collect();
            seeds.push(b"{\"permissions\": {\"allow\": [\"Bash(git:*)\"], \"deny\": [\"Read(./.env)\"], \"defaultMode\": \"plan\"}, \"hooks\": {\"PreToolUse\": []}, \"sandbox\": {\"enabled\": true}}".to_vec());
            seeds.push(b"{\"permissions\": {\"allow\": [\"Shell(ls)\"], \"deny\": [\"Shell(rm)\"]}, \"approvalMode\": \"allowlist\"}".to_vec());
            seeds.push(b"{\"tools\": {\"allowed\": [\"run_shell_command(git)\"], \"core\": [\"ShellTool\"]}, \"mcp\": {\"allowed\": [\"a\"]}, \"general\": {\"defaultApprovalMode\": \"plan\"}}".to_vec());
            seeds.push(b"[[rule]]\ntoolName = \"run_shell_command\"\ncommandRegex = \"(git|rm) .*\"\ndecision = \"deny\"\npriority = 100\nmodes = [\"yolo\"]\n".to_vec());
            seeds.push(b"{\"allow-tool\": [\"shell(git:*)\"], \"deny-tool\": [\"shell\"], \"deniedUrls\": [\"*.x.example\"], \"defaultPermissionMode\": \"manual\", \"headless\": true}".to_vec());
            seeds.push(b"{\"locations\": {\"/repo\": {\"tool_approvals\": [{\"kind\": \"commands\", \"commandIdentifiers\": [\"git:*\"]}]}}, \"permissions\": {\"deny\": [\"Shell(rm *)\"]}}".to_vec());
            seeds.push(b"{\"permission\": {\"bash\": {\"*\": \"ask\", \"git *\": \"allow\"}, \"edit\": \"deny\"}, \"agent\": {\"a\": {\"tools\": {\"bash\": true}}}}".to_vec());
            seeds
        }
        "iam" => vec![
            b"{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"s3:*\", \"Resource\": \"arn:aws:s3:::*\", \"Condition\": {\"StringLike\": {\"aws:userid\": \"*:${aws:username}\"}}}]}".to_vec(),
        ],
        "meaning" => vec![
            b"for b in a $X; do (aws s3 rb \"s3://$b\" --force | xargs -n1 env A=1 kubectl delete ns) <<E >out; done; `id`\nx\nE\n".to_vec(),
            b"psql \"$U\" -c \"WITH g AS (DELETE FROM a RETURNING *) SELECT count(*) FROM g; DROP TABLE b\"".to_vec(),
            b"curl -sX POST https://backboard.railway.com/graphql/v2 -d '{\"query\":\"mutation { volumeDelete(volumeId: \\\"v\\\") }\"}'".to_vec(),
            b"python3 -c \"import boto3; boto3.client('rds').delete_db_instance(DBInstanceIdentifier='o')\" && make all".to_vec(),
        ],
        "program" => ["langchain", "ai-sdk", "claude-agent-sdk", "autogen", "pydantic-ai"]
            .iter()
            .flat_map(|name| code(&String::from_utf8(read(&format!("tests/programs/{name}/cases.yaml"))).unwrap()))
            .collect(),
        "quote" => vec![b"unknown field `waver`, expected one of \"a\", `b` at postgres://app:x@db/y".to_vec()],
        "scan" => vec![
            b"export A_TOKEN=\"abc123def456ghi789\"\nDATABASE_URL=postgres://app:pw@db.example/x\n-----BEGIN PRIVATE KEY-----\nAAAA\n".to_vec(),
            b"{\"api_key\": \"sk_live_0123456789abcdef\", \"a\": [{\"password\": \"x\"}]}".to_vec(),
        ],
        "shell" => vec![b"FOO=1 psql \"$DATABASE_URL\" -c 'drop table x' && (cd a; rm -rf b) | tee $(date) <<EOF > \"x y\" &".to_vec()],
        "signature" => vec![
            b"-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgrXRlMPUJD1kFyIfTX4Y0CKRJCU\n0+xK36WZtsC4t8GVsAAAARZGVhZHN0b3AtbWFuaWZlc3QAAAAAAAAABnNoYTUxMgAAAFMA\nAAALc3NoLWVkMjU1MTkAAABADvIxqqYGRwrEGXn+jtezHlFiDCDnkbeMdrmAJR7ogbTIeX\nP4Jn2MF8xGcrJa9SxoAfSD7ezElCUGAtvpbO+lBg==\n-----END SSH SIGNATURE-----\n".to_vec(),
            b"anna@x,*@y namespaces=\"git,deadstop-manifest\",valid-after=\"20260101Z\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK10ZTD1CQ9ZBciH01+GNAikSQlNPsSt+lmbbAuLfBlb c\n".to_vec(),
            b"untrusted comment: x\nRURXYUWE7r/K8Y3a0ZJ8Kz0oG5bq5V1m8Qh2s7n9\ntrusted comment: file:manifest.json\thashed\nAAAA\n".to_vec(),
        ],
        "store" => vec![
            b"[default]\naws_access_key_id = AKIAQQQQQQQQQQQQQQQQ\naws_secret_access_key = abcdefghijklmnopqrstuvwxyz0123456789ABCD\n".to_vec(),
            b"{\"mcpServers\": {\"a\": {\"command\": \"x\", \"args\": [\"--token\", \"y\"], \"env\": {\"T\": \"z\"}}}, \"auths\": {\"h\": {\"auth\": \"YTpi\"}}}".to_vec(),
            b"apiVersion: v1\nusers:\n- name: u\n  user: {token: abc, exec: {command: aws}}\ncontexts:\n- {name: c, context: {user: u, cluster: k}}\n".to_vec(),
            b"{\"version\": 4, \"resources\": [{\"mode\": \"managed\", \"type\": \"aws_db_instance\", \"instances\": [{\"attributes\": {\"arn\": \"x\", \"password\": \"y\"}}]}]}".to_vec(),
        ],
        "world" => all("worlds"),
        _ => Vec::new(),
    }
}

/// The files of some cases of agent programs.
fn code(cases: &str) -> Vec<Vec<u8>> {
    let blocks = cases.split(": |\n").skip(1).take(6);
    let lines = |block: &str| {
        let own = block.lines().take_while(|line| line.is_empty() || line.starts_with("        "));
        own.map(|line| line.strip_prefix("        ").unwrap_or(line)).collect::<Vec<_>>().join("\n")
    };
    blocks.map(|block| lines(block).into_bytes()).collect()
}

/// A file of a built-in world's report.
fn demo(file: &str) -> Vec<u8> {
    let place = Place::new();
    place.expect(0, &["demo", "own-role", "-o", "r"]);
    place.read(&format!("r/{file}")).into_bytes()
}

/// One thing put wrong.
#[derive(Clone, Debug)]
enum Slip {
    Cut(Index),
    Drop(Index, usize),
    Put(Index, Vec<u8>),
    Twice(Index, usize),
}

const PIECES: [&str; 24] = [
    "\0",
    "\u{feff}",
    "\u{202e}",
    "\"",
    "'",
    "`",
    "\\",
    "{",
    "}}",
    "[[[[",
    "]",
    ": ",
    "- ",
    "#",
    "*",
    "&a ",
    "!!x ",
    "\r\n",
    "\u{1b}[31m",
    "99999999999999999999",
    "-1",
    "null",
    "${x}",
    "{{ x }}",
];

fn slip() -> impl Strategy<Value = Slip> {
    let piece = prop_oneof![
        select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 1..6)
    ];
    prop_oneof![
        1 => any::<Index>().prop_map(Slip::Cut),
        3 => (any::<Index>(), 1..40_usize).prop_map(|(at, length)| Slip::Drop(at, length)),
        5 => (any::<Index>(), piece).prop_map(|(at, piece)| Slip::Put(at, piece)),
        2 => (any::<Index>(), 1..60_usize).prop_map(|(at, length)| Slip::Twice(at, length)),
    ]
}

fn slipped(mut text: Vec<u8>, slips: &[Slip]) -> Vec<u8> {
    for slip in slips {
        let length = text.len() + 1;
        match slip {
            Slip::Cut(at) => text.truncate(at.index(length)),
            Slip::Drop(at, count) => {
                let at = at.index(length);
                text.drain(at..text.len().min(at + count));
            }
            Slip::Put(at, piece) => {
                let at = at.index(length);
                text.splice(at..at, piece.iter().copied());
            }
            Slip::Twice(at, count) => {
                let at = at.index(length);
                let again = text[at..text.len().min(at + count)].to_vec();
                text.splice(at..at, again);
            }
        }
    }
    text
}

fn holds(name: &str, cases: u32) {
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "{name} has nothing to begin from");
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    seeds.iter().for_each(|seed| bodies::run(name, seed));
    bodies::run(name, b"");
    let strategy =
        (select(seeds), proptest::collection::vec(slip(), 0..5)).prop_map(|(seed, slips)| slipped(seed, &slips));
    let strategy = prop_oneof![9 => strategy, 1 => proptest::collection::vec(any::<u8>(), 0..200)];
    runner
        .run(&strategy, |data| {
            bodies::run(name, &data);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{name}: {error}"));
}

#[test]
fn readers_of_records_hold() {
    holds("bundle", 60);
    holds("assessment", 60);
    holds("world", 200);
}

#[test]
fn readers_of_rules_hold() {
    holds("check", 300);
    holds("condition", 300);
    holds("config", 500);
    holds("iam", 1_000);
}

#[test]
fn readers_of_settings_and_commands_hold() {
    holds("gate", 500);
    holds("shell", 2_000);
    holds("quote", 2_000);
    holds("signature", 300);
}

#[test]
fn readers_of_code_hold() {
    holds("program", 400);
    holds("meaning", 500);
}

#[test]
fn readers_of_what_lies_about_hold() {
    holds("scan", 40);
    holds("store", 40);
}

#[test]
fn the_folder_for_cargo_fuzz_lists_the_same_bodies() {
    let bodies: BTreeSet<String> = bodies::ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    let manifest: toml::Table = fs::read_to_string(sources().join("fuzz/Cargo.toml")).unwrap().parse().unwrap();
    let targets = manifest["bin"].as_array().unwrap();
    let listed: BTreeSet<String> = targets.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(listed, bodies);
    for target in targets {
        let (name, path) = (target["name"].as_str().unwrap(), target["path"].as_str().unwrap());
        let text = fs::read_to_string(sources().join("fuzz").join(path)).unwrap();
        assert!(text.contains(&format!("bodies::run(\"{name}\", data)")), "{path}");
    }
    let files = fs::read_dir(sources().join("fuzz/fuzz_targets")).unwrap().count();
    assert_eq!(files, bodies.len());
    let workspace = fs::read_to_string(sources().join("Cargo.toml")).unwrap();
    assert!(!workspace.contains("fuzz"), "it needs a nightly toolchain, which no one else is to need");
}
