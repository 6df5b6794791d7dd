//! Every known store once, with what must be found in it and where.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, GapReason, Listed};
use deadstop_core::id::CredentialId;
use deadstop_core::model::{Class, Status};

use crate::support::{Fake, hex, inventory, made_up, places, uuid};

/// The secrets of a planted home, by what they are.
pub(crate) struct Planted {
    pub(crate) fake: Fake,
    pub(crate) secrets: BTreeMap<&'static str, String>,
}

const KEY_ID: [&str; 2] = ["AKIA", "Y34FZKBOKMUTVV7A"];
const OTHER_ID: [&str; 2] = ["AKIA", "QNZGKIQY56JQ7WML"];

#[expect(clippy::too_many_lines, reason = "one file after another, with nothing to decide")]
pub(crate) fn plant() -> Planted {
    let mut fake = Fake::new();
    let mut secrets: BTreeMap<&'static str, String> = BTreeMap::new();
    let mut seed = 0;
    let mut add = |name, make: &dyn Fn(u64) -> String| {
        seed += 1;
        secrets.insert(name, make(seed));
        secrets[name].clone()
    };
    let aws = add("aws", &|s| made_up(s, 40));
    let other = add("aws_env_file", &|s| made_up(s, 40));
    let railway = add("railway_token", &uuid);
    let session = add("railway_session", &uuid);
    let github = add("github", &|s| format!("{}{}", "gho_", made_up(s, 36)));
    let remote = add("github_remote", &|s| format!("{}{}", "ghp_", made_up(s, 36)));
    let database = add("database", &|s| made_up(s, 18));
    let pgpass = add("pgpass", &|s| made_up(s, 14));
    let netrc = add("heroku", &uuid);
    let sso = add("sso", &|s| made_up(s, 120));
    let refresh = add("sso_refresh", &|s| made_up(s, 120));
    let kube = add("kube", &|s| made_up(s, 60));
    let mcp = add("mcp", &|s| format!("{}{}", "sbp_", hex(s, 40)));
    let header = add("mcp_header", &|s| made_up(s, 32));
    let state = add("state", &|s| made_up(s, 20));
    let mysql = add("mysql", &|s| made_up(s, 16));
    let fly = add("fly", &|s| format!("{}{}", "fm2_", made_up(s, 100)));
    let openai = add("openai", &|s| format!("{}{}", "sk-proj-", made_up(s, 60)));
    let unknown = add("unknown", &|s| format!("{}-7x", made_up(s, 30)));
    let next_line = add("next_line", &|s| made_up(s, 28));
    let key = KEY_ID.concat();

    fake.write("~/.aws/credentials", format!("[default]\naws_access_key_id = {key}\naws_secret_access_key = {aws}\n"));
    fake.write(
        "~/.aws/config",
        "[profile admin]\nrole_arn = arn:aws:iam::609629065308:role/admin\nsource_profile = default\n\n\
         [profile helper]\ncredential_process = /opt/helper --give\n",
    );
    fake.write(
        "~/.aws/sso/cache/0a1b.json",
        format!(
            "{{\n  \"startUrl\": \"https://acme.awsapps.com/start\",\n  \"accessToken\": \"{sso}\",\n  \
             \"expiresAt\": \"2020-01-01T00:00:00Z\",\n  \"refreshToken\": \"{refresh}\"\n}}\n"
        ),
    );
    fake.write(
        "~/.railway/config.json",
        format!(
            "{{\n  \"projects\": {{\n    \"/srv/shop\": {{\n      \"project\": \"p-1\",\n      \"environment\": \"e-1\",\n      \
             \"environmentName\": \"production\",\n      \"name\": \"storefront\"\n    }}\n  }},\n  \"user\": {{\n    \
             \"token\": \"{session}\"\n  }}\n}}\n"
        ),
    );
    fake.write("~/.config/gh/hosts.yml", format!("github.com:\n    user: anna\n    oauth_token: {github}\n"));
    fake.write("~/.pgpass", format!("# logins\ndb.internal.example:5432:shop:owner:{pgpass}\n"));
    fake.write("~/.netrc", format!("machine api.heroku.com\n  login anna@example.test\n  password {netrc}\n"));
    fake.write("~/.my.cnf", format!("[client]\nuser = root\nhost = mysql.internal.example\npassword = {mysql}\n"));
    fake.write(
        "~/.kube/config",
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: prod\nclusters:\n- name: prod\n  cluster:\n    server: \
             https://k8s.internal.example:6443\ncontexts:\n- name: prod\n  context: {{cluster: prod, user: admin}}\n\
             - name: exec\n  context: {{cluster: prod, user: plugin}}\nusers:\n- name: admin\n  user:\n    token: {kube}\n\
             - name: plugin\n  user:\n    exec:\n      command: aws\n      args: [eks, get-token]\n"
        ),
    );
    fake.write("./.env", format!("# shop\nexport RAILWAY_TOKEN=\"{railway}\"  # production\nDATABASE_URL=postgres://app:{database}@db.internal.example/shop\nAWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={other}\n", OTHER_ID.concat()));
    fake.write("./.env.local", format!("RAILWAY_TOKEN={railway}\n"));
    fake.write(
        "./compose.yaml",
        format!("services:\n  web:\n    environment:\n      DATABASE_URL: postgres://app:{database}@db.internal.example/shop\n"),
    );
    fake.write(
        "./deploy.yaml",
        format!(
            "env:\n  - name: STRIPE_WEBHOOK_SECRET\n    value: {next_line}\n  - name: REPLICAS\n    value: \"3\"\n"
        ),
    );
    fake.write(
        "./.git/config",
        format!("[remote \"origin\"]\n\turl = https://anna:{remote}@github.com/acme/shop.git\n"),
    );
    fake.write(
        "./.mcp.json",
        format!(
            "{{\n  \"mcpServers\": {{\n    \"supabase\": {{\n      \"command\": \"npx\",\n      \"args\": [\"-y\", \"server\"],\n      \
             \"env\": {{\"SUPABASE_ACCESS_TOKEN\": \"{mcp}\"}}\n    }},\n    \"hosted\": {{\n      \"url\": \
             \"https://mcp.acme.example/sse\",\n      \"headers\": {{\"Authorization\": \"Bearer {header}\"}}\n    }},\n    \
             \"railway\": {{\"command\": \"railway-mcp\", \"env\": {{\"RAILWAY_TOKEN\": \"${{RAILWAY_TOKEN}}\"}}}}\n  }}\n}}\n"
        ),
    );
    fake.write(
        "./infra/terraform.tfstate",
        format!(
            "{{\n  \"version\": 4,\n  \"resources\": [\n    {{\"mode\": \"managed\", \"type\": \"aws_db_instance\", \"name\": \"main\", \
             \"instances\": [{{\"attributes\": {{\n      \"arn\": \"arn:aws:rds:eu-west-1:609629065308:db:shop-prod\",\n      \"identifier\": \
             \"shop-prod\",\n      \"engine\": \"postgres\",\n      \"password\": \"{state}\"}}}}]}},\n    {{\"mode\": \"managed\", \"type\": \
             \"aws_s3_bucket\", \"name\": \"files\", \"instances\": [{{\"attributes\": {{\"arn\": \"arn:aws:s3:::shop-files\", \"bucket\": \
             \"shop-files\"}}}}]}}\n  ]\n}}\n"
        ),
    );
    fake.write("./.vercel/project.json", "{\"projectId\": \"prj_1\", \"orgId\": \"team_1\"}\n");
    fake.write("./notes/deploy.log", format!("ran with FLY_API_TOKEN=\"FlyV1 {fly}\"\n"));
    fake.write("./src/model.py", format!("client = OpenAI(api_key=\"{openai}\")\n"));
    fake.write("./settings.toml", format!("[billing]\nbilling_api_key = \"{unknown}\"\npassword = \"changeme\"\n"));
    fake.write(
        "./docs/README.txt",
        format!(
            "aws_access_key_id = {}\naws_secret_access_key = {}\n",
            ["AKIA", "IOSFODNN7EXAMPLE"].concat(),
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
        ),
    );
    fake.set("RAILWAY_TOKEN", &railway);
    fake.set("PATH", "/usr/bin:/bin");
    Planted { fake, secrets }
}

#[test]
fn every_store_is_found_with_its_place() {
    let planted = plant();
    let found = planted.fake.collect();
    let expected: &[(&str, &[&str])] = &[
        ("aws:access_key", &["./.env:4#AWS_ACCESS_KEY_ID"]),
        ("aws:access_key", &["~/.aws/credentials:2#default"]),
        ("aws:credential_process", &["~/.aws/config:6#helper"]),
        ("aws:sso_refresh_token", &["~/.aws/sso/cache/0a1b.json:5#refreshToken"]),
        ("aws:sso_token", &["~/.aws/sso/cache/0a1b.json:3#accessToken"]),
        ("fly:macaroon", &["./notes/deploy.log:1#FLY_API_TOKEN"]),
        ("github:oauth_token", &["~/.config/gh/hosts.yml:3#github.com"]),
        ("github:personal_access_token", &["./.git/config:2#url"]),
        ("heroku:api_key", &["~/.netrc:3#api.heroku.com"]),
        ("kubernetes:exec_plugin", &["~/.kube/config:20#plugin"]),
        ("kubernetes:token", &["~/.kube/config:16#admin"]),
        ("mysql:password", &["~/.my.cnf:4#client.password"]),
        ("openai:api_key", &["./src/model.py:1#api_key"]),
        ("postgres:connection_url", &["./.env:3#DATABASE_URL", "./compose.yaml:4#DATABASE_URL"]),
        ("postgres:password", &["./infra/terraform.tfstate:8#aws_db_instance.main.password"]),
        ("postgres:password", &["~/.pgpass:2#owner@db.internal.example"]),
        (
            "railway:project_token",
            &["environment#RAILWAY_TOKEN", "./.env:2#RAILWAY_TOKEN", "./.env.local:1#RAILWAY_TOKEN"],
        ),
        ("railway:session_token", &["~/.railway/config.json:11#user.token"]),
        ("stripe:webhook_secret", &["./deploy.yaml:3#STRIPE_WEBHOOK_SECRET"]),
        ("supabase:access_token", &["./.mcp.json:6#mcpServers.supabase.env.SUPABASE_ACCESS_TOKEN"]),
        ("unknown:api_key", &["./settings.toml:2#billing_api_key"]),
        ("unknown:token", &["./.mcp.json:10#mcpServers.hosted.headers.Authorization"]),
    ];
    let expected: Vec<(String, Vec<String>)> = expected
        .iter()
        .map(|(kind, places)| ((*kind).to_owned(), places.iter().map(|place| (*place).to_owned()).collect()))
        .collect();
    let actual = inventory(&found);
    for line in &actual {
        assert!(expected.contains(line), "not expected: {line:?}");
    }
    for line in &expected {
        assert!(actual.contains(line), "not found: {line:?} in {actual:#?}");
    }
    assert_eq!(actual.len(), expected.len());
    assert_eq!(found.reach, Fact::Known(Listed::Complete));
    assert!(found.stats.dummies >= 1);
}

#[test]
fn what_is_known_is_told_and_nothing_else() {
    let found = plant().fake.collect();
    let by_kind = |kind: &str| found.credentials.items.iter().find(|one| one.kind == kind).unwrap();
    assert_eq!(by_kind("sso_token").status, Fact::Known(Status::Live));
    assert_eq!(by_kind("project_token").status.gap().unwrap().reason, GapReason::NotAsked);
    assert_eq!(by_kind("project_token").within, None);
    let url = by_kind("connection_url");
    assert_eq!(url.key, "postgres:connection_url:postgres://app@db.internal.example:5432");
    assert_eq!(url.identity.known().unwrap().as_str(), "postgres://app@db.internal.example:5432");
    let asset =
        |id: &str| found.assets.items.iter().find(|one| one.id.as_str() == id).unwrap_or_else(|| panic!("{id}"));
    assert_eq!(asset("postgres://db.internal.example:5432/shop").class, Class::Database);
    assert_eq!(asset("arn:aws:rds:eu-west-1:609629065308:db:shop-prod").kind, "db_instance");
    assert_eq!(asset("arn:aws:s3:::shop-files").parent, None);
    assert_eq!(asset("railway:p-1/e-1").name, "production");
    assert!(asset("aws:account/609629065308").contents.as_ref().unwrap().gap().is_some());
    assert_eq!(asset("vercel:prj_1").kind, "project");
    assert_eq!(found.steps.items.len(), 1);
    let servers: Vec<_> =
        found.mcp_servers.iter().map(|server| (server.name.as_str(), server.credentials.len())).collect();
    assert_eq!(servers, [("hosted", 1), ("railway", 1), ("supabase", 1)]);
    assert_eq!(found.mcp_servers[1].credentials, [CredentialId(by_kind("project_token").key.clone())]);
    assert_eq!(found.mcp_servers[2].line, Some(3));
}

#[test]
fn every_reference_leads_to_something() {
    let found = plant().fake.collect();
    let known: std::collections::BTreeSet<_> = found.sources.iter().map(|source| &source.id).collect();
    for credential in &found.credentials.items {
        assert!(!credential.sources.is_empty() && credential.sources.iter().all(|id| known.contains(id)));
        assert!(credential.identity.gap().is_none_or(|gap| known.contains(&gap.source)));
        assert!(!places(credential).is_empty());
    }
    let nodes: std::collections::BTreeSet<_> = found.assets.items.iter().map(|asset| &asset.id).collect();
    for asset in &found.assets.items {
        assert!(asset.parent.as_ref().is_none_or(|parent| nodes.contains(parent)), "{}", asset.id);
        assert!(asset.sources.iter().all(|id| known.contains(id)));
    }
}

#[test]
fn the_same_world_gives_the_same_bytes() {
    let planted = plant();
    let once = serde_json::to_string(&planted.fake.collect()).unwrap();
    for _ in 0..5 {
        assert_eq!(serde_json::to_string(&planted.fake.collect()).unwrap(), once);
    }
}

#[test]
fn a_service_account_key_is_one_credential() {
    let fake = Fake::new();
    let body = made_up(90, 1_600);
    let key = format!("-----BEGIN {0} KEY-----\\n{body}\\n-----END {0} KEY-----\\n", "PRIVATE");
    fake.write(
        "./sa.json",
        format!(
            "{{\n  \"type\": \"service_account\",\n  \"private_key_id\": \"k1\",\n  \"private_key\": \"{key}\",\n  \
             \"client_email\": \"robot@shop.iam.gserviceaccount.com\"\n}}\n"
        ),
    );
    let found = fake.collect();
    let expected = ("google:service_account_key".to_owned(), vec!["./sa.json:4#private_key".to_owned()]);
    assert_eq!(inventory(&found), [expected]);
}

#[test]
fn the_core_takes_what_was_collected() {
    use deadstop_core::bundle::{Bundle, adopt};
    use deadstop_core::model::{Agent, Session};
    let planted = plant();
    let found = planted.fake.collect();
    let mut bundle = Bundle::empty(planted.fake.surroundings().now, "0.1.0");
    bundle.machine = Some("0123456789ab".to_owned());
    bundle.sessions.items.push(Session {
        id: "plain".into(),
        key: "plain".to_owned(),
        name: "any program".to_owned(),
        agent: Agent::Plain,
        machine: None,
        environment: None,
        roots: vec![".".to_owned()],
        reach: found.reach.clone(),
        ways: Fact::Known(Listed::Complete),
        tally: None,
        sources: Vec::new(),
    });
    bundle.sources = found.sources;
    bundle.credentials = found.credentials;
    bundle.principals = found.principals;
    bundle.grants = found.grants;
    bundle.assets = found.assets;
    bundle.steps = found.steps;
    let adopted = adopt(bundle).unwrap();
    assert!(adopted.credentials.items.len() > 20);
}
