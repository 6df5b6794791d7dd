//! Servers of somebody's own that a token is for, as the place where it lies tells (floor 5). Such a token is nothing to the
//! provider of the same name, and is never sent there.

use std::collections::BTreeSet;

use super::find::Find;
use super::scan::{Raw, in_name};

/// A provider whose software others run too.
struct Hosted {
    provider: &'static str,
    /// Kinds of credential that may be for such a server.
    kinds: &'static [&'static str],
    /// What one that is for it is called.
    own: &'static str,
    /// Variables that name the server, by what they begin with: a text is gone through once for each beginning.
    variables: &'static [(&'static str, &'static [&'static str])],
    /// Hosts of the provider itself, each with those below it.
    hosts: &'static [&'static str],
    /// What a tool calls the provider itself, where it takes a service's name for a host.
    services: &'static [&'static str],
}

/// <https://cli.github.com/manual/gh_help_environment>, <https://docs.github.com/actions/reference/workflows-and-actions/variables>,
/// <https://github.com/github/github-mcp-server>, <https://registry.terraform.io/providers/hashicorp/tfe/latest/docs>,
/// <https://developer.hashicorp.com/terraform/cli/config/environment-variables>,
/// <https://www.mongodb.com/docs/mongocli/current/configure/environment-variables/>,
/// <https://www.mongodb.com/docs/mcp-server/configuration/options/>
static ALL: [Hosted; 3] = [
    Hosted {
        provider: "github",
        kinds: &["app_user_token", "fine_grained_token", "oauth_token", "personal_access_token", "token"],
        own: "enterprise_token",
        variables: &[
            ("GH_HOST", &[""]),
            (
                "GITHUB_",
                &[
                    "API_URL",
                    "BASE_URL",
                    "ENTERPRISE_HOST",
                    "ENTERPRISE_URL",
                    "GRAPHQL_URL",
                    "HOST",
                    "SERVER_URL",
                    "URL",
                ],
            ),
        ],
        hosts: &["github.com", "githubcopilot.com", "githubusercontent.com"],
        services: &[],
    },
    Hosted {
        provider: "terraform",
        kinds: &["token"],
        own: "server_token",
        variables: &[("TFE_", &["ADDRESS", "HOST", "HOSTNAME", "URL"]), ("TF_CLOUD_HOSTNAME", &[""])],
        hosts: &["app.terraform.io"],
        services: &[],
    },
    Hosted {
        provider: "mongodb_atlas",
        kinds: &["api_key", "oauth_token", "service_account_secret"],
        own: "server_key",
        variables: &[
            ("MCLI_", &["OPS_MANAGER_URL", "SERVICE"]),
            ("MDB_MCP_API_BASE_URL", &[""]),
            ("MONGODB_ATLAS_", &["BASE_URL", "OPS_MANAGER_URL", "SERVICE"]),
        ],
        hosts: &["cloud.mongodb.com"],
        services: &["cloud"],
    },
];

/// How far from a token a host is looked for, on its line.
const NEAR: usize = 200;

impl Hosted {
    fn of(provider: &str, kind: &str) -> Option<&'static Self> {
        ALL.iter().find(|one| one.provider == provider && one.kinds.contains(&kind))
    }

    /// Whether this is a host of the provider itself.
    fn owns(&self, host: &str) -> bool {
        let below = |own: &str| host.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        self.hosts.iter().any(|own| below(own))
    }
}

/// What a login is that a file keeps by the host that it is for.
pub(super) fn kind_for<'a>(provider: &str, kind: &'a str, host: &str) -> &'a str {
    let host = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
    match ALL.iter().find(|one| one.provider == provider) {
        Some(hosted) if !hosted.owns(&host) => hosted.own,
        Some(_) | None => kind,
    }
}

/// What a login is that a file keeps beside the server that it is for: a URL, or a service's name. MongoDB's client calls its
/// own `cloud` (`mongodb/mongodb-atlas-cli`, `internal/store/store.go`).
pub(super) fn kind_beside<'a>(provider: &str, kind: &'a str, server: &str) -> &'a str {
    let server = server.trim();
    let after = server.split_once("://").map_or(server, |(_, rest)| rest);
    if server == "cloud" { kind } else { kind_for(provider, kind, &host(after.as_bytes())) }
}

/// Whether a token may be for a server of somebody's own.
pub(super) fn concerns(raw: &Raw) -> bool {
    Hosted::of(&raw.provider, &raw.kind).is_some()
}

/// Whether this is what a token of a server of somebody's own is called.
pub(super) fn is_elsewhere(find: &Find) -> bool {
    ALL.iter().any(|one| one.provider == find.provider && one.own == find.kind)
}

/// Calls a token by what it is for, where its name or its line names another host.
pub(super) fn place(raw: &mut Raw, text: &[u8]) {
    let Some(hosted) = Hosted::of(&raw.provider, &raw.kind) else { return };
    let named = raw.key.as_deref().and_then(|key| key.strip_prefix("TF_TOKEN_"));
    let elsewhere = match named {
        // A host with `.` written as `_` and `-` as `__` (CLI configuration, "Environment Variable Credentials").
        Some(host) => !host.eq_ignore_ascii_case("app_terraform_io"),
        None => near(text, raw).iter().any(|host| !hosted.owns(host)),
    };
    if elsewhere {
        hosted.own.clone_into(&mut raw.kind);
    }
}

/// The hosts on the line of a token: that of the URL that it is a part of, else those near it.
fn near(text: &[u8], raw: &Raw) -> Vec<String> {
    let (start, end) = (raw.at.start, raw.at.end);
    let before = text.get(start.saturating_sub(NEAR)..start).unwrap_or_default();
    let after = text.get(end..text.len().min(end + NEAR)).unwrap_or_default();
    let is_end = |byte: &u8| *byte == b'\n';
    let line = before.iter().rposition(is_end).map_or(before, |at| before.get(at + 1..).unwrap_or_default());
    let rest = after.iter().position(is_end).map_or(after, |at| after.get(..at).unwrap_or_default());
    if let Some(at) = memchr::memmem::rfind(line, b"://")
        && line.get(at + 3..).is_some_and(|login| login.iter().all(|byte| in_login(*byte)))
        && let Some(at) = rest.iter().position(|byte| !in_login(*byte)).filter(|at| rest.get(*at) == Some(&b'@'))
    {
        return vec![host(rest.get(at + 1..).unwrap_or_default())];
    }
    let urls = |part: &[u8]| -> Vec<String> {
        memchr::memmem::find_iter(part, b"://").map(|at| host(part.get(at + 3..).unwrap_or_default())).collect()
    };
    let mut hosts = urls(line);
    hosts.extend(urls(rest));
    // `machine HOST` of a netrc, which may stand on a line of its own, and `--hostname HOST`.
    for (part, word) in [(before, "machine "), (line, "--hostname ")] {
        hosts.extend(
            memchr::memmem::rfind(part, word.as_bytes())
                .map(|at| host(part.get(at + word.len()..).unwrap_or_default())),
        );
    }
    hosts
}

const fn in_login(byte: u8) -> bool {
    in_name(byte) || matches!(byte, b':' | b'%' | b'~' | b'+' | b'$' | b'{' | b'}')
}

/// The host that a URL begins with, or that stands there.
fn host(text: &[u8]) -> String {
    let stop = |byte: &u8| *byte <= b' ' || b"/?#\"'`<>()[],;\\|".contains(byte);
    let all = text.get(..text.iter().position(stop).unwrap_or(text.len())).unwrap_or_default();
    let all = String::from_utf8_lossy(all).to_ascii_lowercase();
    let host = all.rsplit_once('@').map_or(all.as_str(), |(_, host)| host);
    host.split(':').next().unwrap_or(host).to_owned()
}

/// The providers of which a text names another server, by the variables of their tools.
pub(super) fn named(text: &[u8], out: &mut BTreeSet<&'static str>) {
    for hosted in &ALL {
        for (start, ends) in hosted.variables {
            let mut found = memchr::memmem::find_iter(text, start);
            if found.any(|at| ends.iter().any(|end| sets(hosted, text, at, (*start, *end)))) {
                out.insert(hosted.provider);
            }
        }
    }
}

/// Whether the variable at `at` is set to a host that is not the provider's own. A reference may be to any.
fn sets(hosted: &Hosted, text: &[u8], at: usize, (start, end): (&str, &str)) -> bool {
    let rest = text.get(at + start.len()..text.len().min(at + start.len() + NEAR)).unwrap_or_default();
    let Some(rest) = rest.strip_prefix(end.as_bytes()) else { return false };
    if at.checked_sub(1).and_then(|before| text.get(before)).is_some_and(|byte| in_name(*byte)) {
        return false;
    }
    let skip = |rest: &[u8], bytes: &[u8]| rest.iter().take_while(|byte| bytes.contains(byte)).count();
    let rest = rest.get(skip(rest, b"\"'] \t")..).unwrap_or_default();
    let Some(rest) = rest.strip_prefix(b"=").or_else(|| rest.strip_prefix(b":")) else { return false };
    let rest = rest.get(skip(rest, b"\"'=> \t")..).unwrap_or_default();
    let after = memchr::memmem::find(rest.get(..10).unwrap_or(rest), b"://").map_or(0, |at| at + 3);
    let host = host(rest.get(after..).unwrap_or_default());
    !host.is_empty() && !hosted.owns(&host) && !hosted.services.contains(&host.as_str())
}

/// Calls tokens by what they are for, where the place that they lie in names another server.
pub(super) fn place_all(finds: &mut [Find], elsewhere: &BTreeSet<&'static str>) {
    for find in finds.iter_mut().filter(|find| elsewhere.contains(find.provider.as_str())) {
        if let Some(hosted) = Hosted::of(&find.provider, &find.kind) {
            hosted.own.clone_into(&mut find.kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::{Scanner, Style};
    use super::*;

    const TOKEN: &str = "ghp_Zk7Qm2Xw9Rt4Lp8Vb3Nc6Hd1Js5Gf0YyZk7Q";
    const OTHER: &str = "Zk7Qm2Xw9Rt4Lp.atlasv1.Zk7Qm2Xw9Rt4Lp8Vb3Nc6Hd1Js5Gf0YyZk7Qm2Xw9Rt4Lp8Vb3Nc6Hd1Js5Gf0YyZ";

    fn kinds(text: &str) -> Vec<String> {
        let mut raws = Vec::new();
        Scanner::new().scan(text.as_bytes(), 0..text.len(), Style::Env, &mut raws);
        raws.into_iter()
            .filter(|raw| ["github", "terraform"].contains(&raw.provider.as_str()))
            .map(|raw| raw.kind)
            .collect()
    }

    #[test]
    fn a_token_is_for_the_host_that_its_name_or_its_line_names() {
        for (text, kind) in [
            (format!("TF_TOKEN_app_terraform_io={OTHER}"), "token"),
            (format!("TF_TOKEN_tfe_corp_com={OTHER}"), "server_token"),
            (format!("TF_TOKEN_app_eu_terraform_io={OTHER}"), "server_token"),
            (format!("TFE_TOKEN={OTHER}"), "token"),
            (format!("https://anna:{TOKEN}@github.com"), "personal_access_token"),
            (format!("https://anna:{TOKEN}@ghe.corp"), "enterprise_token"),
            (format!("https://anna:{TOKEN}@github.com.corp"), "enterprise_token"),
            (format!("https://{TOKEN}@ghe.corp:8443/a/b.git"), "enterprise_token"),
            (format!("curl -H 'Authorization: token {TOKEN}' https://ghe.corp/api/v3/user"), "enterprise_token"),
            (format!("curl -H 'Authorization: token {TOKEN}' https://api.github.com/user"), "personal_access_token"),
            (format!("machine ghe.corp\nlogin anna\npassword {TOKEN}"), "enterprise_token"),
            (format!("https://ghe.corp/\nGH_TOKEN={TOKEN}"), "personal_access_token"),
        ] {
            assert_eq!(kinds(&text), [kind], "{}", text.replace(TOKEN, "…").replace(OTHER, "…"));
        }
    }

    #[test]
    fn a_login_is_for_the_server_beside_it() {
        for (server, kind) in [
            ("cloud", "api_key"),
            ("https://cloud.mongodb.com/", "api_key"),
            ("cloudgov", "server_key"),
            ("https://ops.corp:8080/", "server_key"),
            ("https://cloud.mongodb.com.corp", "server_key"),
        ] {
            assert_eq!(kind_beside("mongodb_atlas", "api_key", server), kind, "{server}");
        }
    }

    #[test]
    fn a_variable_names_the_server() {
        let named = |text: &str| {
            let mut all = BTreeSet::new();
            super::named(text.as_bytes(), &mut all);
            all.into_iter().collect::<Vec<_>>()
        };
        for text in [
            "GITHUB_HOST=https://ghe.corp\n",
            "{\"env\": {\"GITHUB_HOST\": \"https://ghe.corp\"}}",
            "export GH_HOST='ghe.corp'",
            "GITHUB_API_URL=https://ghe.corp/api/v3",
            "GITHUB_API_URL=${SOMEWHERE}",
        ] {
            assert_eq!(named(text), ["github"], "{text}");
        }
        for text in ["TFE_HOSTNAME=tfe.corp", "TFE_ADDRESS: https://app.eu.terraform.io"] {
            assert_eq!(named(text), ["terraform"], "{text}");
        }
        for text in
            ["MONGODB_ATLAS_SERVICE=cloudgov", "export MCLI_SERVICE=\"ops-manager\"", "MONGODB_ATLAS_SERVICE=$WHICH"]
        {
            assert_eq!(named(text), ["mongodb_atlas"], "{text}");
        }
        for text in [
            "MONGODB_ATLAS_SERVICE=cloud",
            "MCLI_SERVICE: 'cloud'",
            "MONGODB_ATLAS_SERVICE_ACCOUNT_ID=a",
            "GITHUB_API_URL=https://api.github.com",
            "GH_HOST=github.com",
            "TFE_HOSTNAME=app.terraform.io",
            "MY_GH_HOST=ghe.corp",
            "GH_HOST",
            "GH_HOST=",
        ] {
            assert_eq!(named(text), [""; 0], "{text}");
        }
    }
}
