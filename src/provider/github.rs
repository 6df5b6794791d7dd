//! GitHub: whose each token is, which scopes it has, and which repositories it may delete or overwrite.
//!
//! <https://docs.github.com/rest>, `apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps`, `repositories` ("Restoring a
//! deleted repository", "Deleting a repository"); the fields are those of its OpenAPI description
//! (`github/rest-api-description`). The header `X-OAuth-Scopes` tells a classic token and a login their scopes. Of a
//! fine-grained token, or one of an app, no call tells what it was granted.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::{Basis, Class, CopyKind, End};
use deadstop_core::time::{Span, Time};
use serde::Deserialize;

use super::Learnt;
use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, Guard, Kept, May, Seen, anything, can, listed, names};
use super::token::{Client, Shown, is_id, shown};
use crate::collector::Token;
use crate::readonly::{Answer, Read, ReadOnly, Reads};

pub(super) const HOST: &str = "api.github.com";
/// Kinds of credential that are asked about. Tokens of an app's installation belong to no user.
pub(super) const KINDS: [&str; 5] =
    ["personal_access_token", "oauth_token", "app_user_token", "fine_grained_token", "token"];

const ABOUT: About = About {
    provider: "github",
    scope: "GitHub",
    allow: "to the token: a classic one with the scopes repo and read:org reads all of this",
};

const USER: &str = "GET /user";
const MEMBERSHIPS: &str = "GET /user/memberships/orgs";
const REPOSITORIES: &str = "GET /user/repos";

/// The only calls that are ever sent.
pub(super) static READS: Reads = Reads {
    provider: "github",
    own_host: |host| host == HOST,
    throttled: |answer| answer.status == 429 || (answer.status == 403 && slows(answer)),
    list: &[
        Read::rest(USER, "/user", &[]),
        Read::rest(MEMBERSHIPS, "/user/memberships/orgs", &["state", "per_page", "page"]),
        Read::rest(REPOSITORIES, "/user/repos", &["per_page", "page"]),
    ],
};

/// Whether an answer says that a limit of calls was met ("Rate limits for the REST API").
fn slows(answer: &Answer) -> bool {
    let told = |name: &str| answer.told.get(name).map(String::as_str);
    told("retry-after").is_some() || told("x-ratelimit-remaining") == Some("0")
}

const DELETE: &str = "repos/delete";
/// Hands a repository to another owner.
const TRANSFER: &str = "repos/transfer";
/// What whoever may push may do to branches and tags.
const OVERWRITE: [&str; 2] = ["git/delete-ref", "git/force-push"];
/// What takes the protection off a branch.
const UNPROTECT: &str = "repos/update-branch-protection";
/// How long a deleted repository can be restored by its owner, in the browser.
const GRACE: Span = Span::days(90);

/// Scopes that neither delete nor overwrite a repository, nor lead to one that does (`scopes-for-oauth-apps`). A file of a
/// workflow is pushed with `repo` alone.
const HARMLESS: [&str; 27] = [
    "admin:gpg_key",
    "admin:org_hook",
    "admin:repo_hook",
    "delete:packages",
    "gist",
    "notifications",
    "project",
    "read:audit_log",
    "read:enterprise",
    "read:gpg_key",
    "read:org",
    "read:packages",
    "read:project",
    "read:public_key",
    "read:repo_hook",
    "read:user",
    "repo:invite",
    "repo:status",
    "repo_deployment",
    "security_events",
    "user",
    "user:email",
    "user:follow",
    "workflow",
    "write:gpg_key",
    "write:packages",
    "write:repo_hook",
];
/// Scopes of which it is said below what they lead to.
const KNOWN: [&str; 7] =
    ["admin:org", "admin:public_key", "delete_repo", "public_repo", "repo", "write:org", "write:public_key"];

/// Asks GitHub about these tokens.
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    Learnt::of_each(ABOUT, tokens, at, |token| one(door, token, at))
}

#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
}

#[derive(Deserialize)]
struct Membership {
    role: String,
    state: String,
    organization: Organization,
}

#[derive(Deserialize)]
struct Organization {
    login: String,
}

#[derive(Deserialize)]
struct Repository {
    name: String,
    owner: Owner,
    private: bool,
    fork: bool,
    forks_count: u64,
    archived: bool,
    permissions: Permissions,
}

#[derive(Deserialize)]
struct Owner {
    login: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Permissions {
    admin: bool,
    push: bool,
}

/// Whether a token is a classic one or a login, which the header speaks of. Of others it may be there, and empty. Old ones
/// have no beginning that tells what they are.
fn is_classic(token: &Token, header: &str) -> bool {
    let secret = token.secret.expose();
    let old = secret.len() == 40 && secret.iter().all(u8::is_ascii_hexdigit);
    secret.starts_with(b"ghp_") || secret.starts_with(b"gho_") || (old && !header.trim().is_empty())
}

/// What a token was granted.
enum Scopes {
    These(BTreeSet<String>),
    NotTold(Gap),
}

impl Scopes {
    fn read(header: Option<&str>, token: &Token, facts: &mut Facts) -> Self {
        let credential = token.credential.as_str();
        let Some(header) = header.filter(|header| is_classic(token, header)) else {
            let why = "what a fine-grained token, or one of an app, was granted is not told";
            return Self::NotTold(facts.doubt(credential, why));
        };
        let scopes: BTreeSet<String> =
            header.split(',').map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()).collect();
        let known = |scope: &String| HARMLESS.contains(&scope.as_str()) || KNOWN.contains(&scope.as_str());
        if scopes.iter().all(known) {
            Self::These(scopes)
        } else {
            Self::NotTold(
                facts.doubt(credential, "a token has a scope of which this version does not know what it leads to"),
            )
        }
    }

    fn has(&self, wanted: &[&str]) -> bool {
        matches!(self, Self::These(scopes) if wanted.iter().any(|scope| scopes.contains(*scope)))
    }

    fn words(&self) -> String {
        match self {
            Self::These(scopes) if scopes.is_empty() => "no scopes, so that it only reads what is public".to_owned(),
            Self::These(scopes) => {
                format!("the scopes {}", scopes.iter().map(|scope| shown(scope)).collect::<Vec<_>>().join(", "))
            }
            Self::NotTold(_) => "what it was granted, which is not told".to_owned(),
        }
    }
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let client = Client::new(door, &READS, HOST, token, Shown::Bearer).accepting("application/vnd.github+json");
    let credential = token.credential.as_str();
    let told = client.told(USER, &[], &[], None);
    let user = told.as_ref().map_err(Clone::clone).and_then(|told| {
        let user: Result<User, _> = serde_json::from_value(told.value.clone());
        user.ok().filter(|user| is_id(&user.login)).ok_or_else(Fault::malformed)
    });
    let (user, told) = match (user, told) {
        (Ok(user), Ok(told)) => (user, told),
        (Err(fault), _) | (_, Err(fault)) => {
            learnt.refuse(USER, token, &fault);
            return learnt;
        }
    };
    let facts = &mut learnt.facts;
    let scopes = Scopes::read(told.header("x-oauth-scopes"), token, facts);
    // Each token of a user has scopes of its own.
    let who = PrincipalId(format!("github:user/{}#{credential}", user.id));
    let asked = (USER, credential);
    facts.principal(&who, &format!("GitHub user {}, by one token", user.login), None, asked);
    let roles = roles(&client, &user, facts);
    let mut got = client.get_numbered::<Repository>(REPOSITORIES, &[]);
    let named = |one: &Repository| is_id(&one.name) && is_id(&one.owner.login);
    if !got.items.iter().all(named) {
        got.items.retain(named);
        got.fault = Some(Fault::of(GapReason::Malformed));
    }
    let unlisted = facts.outcome(REPOSITORIES, credential, got.fault);
    let mut owners: BTreeMap<String, bool> =
        got.items.iter().map(|one| (one.owner.login.clone(), one.owner.kind != "User")).collect();
    owners.insert(user.login.clone(), false);
    owners.extend(roles.admin.iter().map(|login| (login.clone(), true)));
    beyond(facts, (&who, &scopes), &roles, asked);
    for (login, organization) in &owners {
        // What one who does not own an organization is not shown, he has no access to.
        let owns = *login == user.login || roles.admin.contains(login);
        let hidden = match (&unlisted, scopes.has(&["repo"])) {
            (Some(gap), _) => Some(gap.clone()),
            (None, true) if owns => None,
            (None, true) => Some(facts.doubt(login, "one who does not own it is not shown every repository")),
            (None, false) => {
                Some(facts.doubt(login, "a token without the scope `repo` may not be shown private repositories"))
            }
        };
        owner(facts, (&who, &scopes), (login, *organization), (&roles, hidden), asked);
    }
    for repository in &got.items {
        repository_of(facts, (&who, &scopes), (&user.login, &roles), repository);
    }
    if let Some(gap) = unlisted {
        facts.beyond(&token.credential, Some(&who), (&gap, &May::NotKnown(gap.clone())), REPOSITORIES);
    }
    let scope = format!("what GitHub user {} may do, with {}", user.login, scopes.words());
    facts.told.insert(token.credential.clone(), Told { kind: None, scope, environment: None });
    learnt.accept(token, who);
    learnt
}

/// The organizations that a user owns, and why not all may be known.
struct Roles {
    admin: BTreeSet<String>,
    gap: Option<Gap>,
}

impl Roles {
    /// Whether all organizations that the user owns are known, and this is none of them.
    fn known_not_to_own(&self, login: &str) -> bool {
        self.gap.is_none() && !self.admin.contains(login)
    }
}

/// The roles of members of an organization (REST API documentation, "List organization memberships for the authenticated
/// user").
const KNOWN_ROLES: [&str; 3] = ["admin", "billing_manager", "member"];

fn roles(client: &Client<'_>, user: &User, facts: &mut Facts) -> Roles {
    let got = client.get_numbered::<Membership>(MEMBERSHIPS, &[("state", "active")]);
    let gap = facts.outcome(MEMBERSHIPS, &user.login, got.fault);
    // Whoever has a role that is not known may own the organization as well.
    let strange = got.items.iter().any(|one| one.state == "active" && !KNOWN_ROLES.contains(&one.role.as_str()));
    let gap = gap.or_else(|| {
        strange.then(|| facts.doubt(&user.login, "a role of a user in an organization is none that this version knows"))
    });
    let active = got.items.into_iter().filter(|one| one.state == "active" && one.role == "admin");
    let admin = active.map(|one| one.organization.login).filter(|login| is_id(login)).collect();
    Roles { admin, gap }
}

/// What a token may do to repositories and organizations that it is not shown.
fn beyond(facts: &mut Facts, (who, scopes): (&PrincipalId, &Scopes), roles: &Roles, asked: (&str, &str)) {
    let mut maybe = |actions: &[&str], gap: Gap| {
        facts.grant(Some(who), names(actions), "*".into(), &May::NotKnown(gap), asked);
    };
    if let Scopes::NotTold(gap) = scopes {
        maybe(&["*"], gap.clone());
    }
    if let Some(gap) = roles.gap.clone().filter(|_| scopes.has(&["admin:org"])) {
        maybe(&["orgs/delete"], gap);
    }
    if scopes.has(&["repo"]) {
        return;
    }
    let hidden = "a token without the scope `repo` may not be shown private repositories";
    let (deletes, pushes) = (scopes.has(&["delete_repo"]), scopes.has(&["admin:public_key", "write:public_key"]));
    if deletes || pushes {
        let gap = facts.doubt(asked.1, hidden);
        let mut actions = Vec::new();
        actions.extend(deletes.then_some(DELETE));
        actions.extend(OVERWRITE.into_iter().filter(|_| pushes));
        facts.grant(Some(who), names(&actions), "*".into(), &May::NotKnown(gap), asked);
    }
}

fn owner_node(login: &str) -> NodeId {
    NodeId(format!("github:{login}"))
}

/// A user or an organization, and what a token may do to it as a whole.
fn owner(
    facts: &mut Facts,
    (who, scopes): (&PrincipalId, &Scopes),
    (login, organization): (&str, bool),
    (roles, hidden): (&Roles, Option<Gap>),
    asked: (&str, &str),
) {
    let node = owner_node(login);
    match scopes {
        Scopes::NotTold(gap) => {
            facts.grant(Some(who), anything(), node.clone(), &May::NotKnown(gap.clone()), asked);
        }
        Scopes::These(_) => {
            if organization && scopes.has(&["admin:org", "write:org", "repo"]) && !roles.known_not_to_own(login) {
                // `repo` also manages who belongs to organizations and their teams. An owner makes whom he likes an owner,
                // too: another identity that is in reach, say.
                let why = "whom an owner could make an owner with this token was not followed";
                let may = May::NotKnown(roles.gap.clone().unwrap_or_else(|| facts.doubt(login, why)));
                facts.grant(Some(who), anything(), node.clone(), &may, asked);
            }
            if organization && scopes.has(&["admin:org"]) {
                let actions = names(&["orgs/delete"]);
                if roles.admin.contains(login) {
                    let because = "it has the scope admin:org, and its user owns the organization";
                    facts.granted(who, actions, node.clone(), (Basis::Observed, because), asked);
                } else if let Some(gap) = &roles.gap {
                    facts.grant(Some(who), actions, node.clone(), &May::NotKnown(gap.clone()), asked);
                }
            }
            // Whoever may own it, and that was not read, may have rights to what is not shown.
            let reaches = scopes.has(&["admin:public_key", "delete_repo", "public_repo", "repo", "write:public_key"]);
            if let Some(gap) = roles.gap.as_ref().filter(|_| organization && reaches && hidden.is_some()) {
                facts.grant(Some(who), anything(), NodeId(format!("{node}/?")), &May::NotKnown(gap.clone()), asked);
            }
        }
    }
    let kind = if organization { "organization" } else { "account" };
    let title = format!("GitHub {kind} {login}");
    let contents = listed(hidden);
    facts.container(Container { kind, name: &title, contents, ..Container::of(node) }, (REPOSITORIES, asked.1));
}

fn repository_of(
    facts: &mut Facts,
    (who, scopes): (&PrincipalId, &Scopes),
    (me, roles): (&str, &Roles),
    repository: &Repository,
) {
    let login = &repository.owner.login;
    let (name, above) = (format!("{login}/{}", repository.name), owner_node(login));
    let node = NodeId(format!("github:{name}"));
    let asked = (REPOSITORIES, name.as_str());
    let environment = Fact::Unknown(facts.doubt(&name, "nothing says which environment a repository belongs to"));
    let seen = if repository.private { "private" } else { "public" };
    let archived = if repository.archived { ", archived" } else { "" };
    facts.seen(
        Seen {
            id: node.clone(),
            kind: "repository",
            class: Class::Repository,
            name: name.clone(),
            parent: Some(&above),
            environment,
            contents: None,
            copies: Fact::Known(Listed::Complete),
            holds: Some(format!("a {seen} repository{archived}")),
        },
        asked,
    );
    let of_repository = scopes.has(&["repo"]) || (!repository.private && scopes.has(&["public_repo"]));
    if repository.permissions.admin && of_repository {
        let because = "its user is an administrator there, and its scopes let it change protections";
        facts.granted(who, names(&[UNPROTECT]), node.clone(), (Basis::Observed, because), asked);
    }
    // A key of one's own, once it is added, pushes to whatever its owner may push to.
    let by_key = scopes.has(&["admin:public_key", "write:public_key"]);
    if repository.permissions.push && (of_repository || by_key) {
        let because = "its user may push there, and its scopes let it push or add a key that does";
        facts.granted(who, names(&OVERWRITE), node.clone(), (Basis::Observed, because), asked);
    }
    if repository.permissions.admin && scopes.has(&["delete_repo"]) {
        let delete = names(&[DELETE]);
        if login == me || roles.admin.contains(login) {
            let because = "it has the scope delete_repo, and its user owns the repository or its organization";
            facts.granted(who, delete, node.clone(), (Basis::Observed, because), asked);
        } else {
            let why = "an organization may keep those who do not own it from deleting repositories, which only its owners are told";
            let gap = roles.gap.clone().unwrap_or_else(|| facts.doubt(&name, why));
            facts.grant(Some(who), delete, node.clone(), &May::NotKnown(gap), asked);
        }
    }
    if repository.permissions.admin && of_repository {
        let why = "who administers a repository may hand it, or rights to it, to somebody else, which was not followed";
        let may = May::NotKnown(facts.doubt(&name, why));
        facts.grant(Some(who), names(&[DELETE, TRANSFER]), node.clone(), &may, asked);
    }
    // Rules of branches stop no deletion of the repository.
    let unread = facts.doubt(&name, "which branches and tags are protected, and for whom, was not asked");
    let guard = Guard {
        on: &node,
        kind: "branch protection",
        covers: &OVERWRITE,
        enabled: Fact::Unknown(unread),
        holds_parent: false,
        lifts: Fact::Known(vec![can(UNPROTECT, &node, "take the protection off the branch")]),
        because: "which branches are protected was not asked",
    };
    facts.guarded(guard, asked);
    if !repository.fork && repository.forks_count == 0 {
        let mut dies_with = names(&OVERWRITE);
        dies_with.extend(names(&["orgs/delete", TRANSFER]));
        facts.kept(
            Kept {
                id: "grace",
                of: &node,
                kind: CopyKind::GracePeriod,
                name: format!("the 90 days in which {name} can be restored"),
                place: None,
                lag: Fact::Known(Span(0)),
                ends: Fact::Known(End::After(GRACE)),
                dies_with: Fact::Known(dies_with),
                destroyed_by: Fact::Known(Vec::new()),
                because: "its owner can restore a deleted repository for 90 days, as it has no forks and is none",
            },
            asked,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_calls_is_no_refusal() {
        let answer = |status, told: &[(&'static str, &str)]| {
            let told = told.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            (READS.throttled)(&Answer { status, body: Vec::new(), told })
        };
        for (status, told) in
            [(429, [("link", "")]), (403, [("retry-after", "60")]), (403, [("x-ratelimit-remaining", "0")])]
        {
            assert!(answer(status, &told), "{status} {told:?}");
        }
        for (status, told) in [(403, [("x-ratelimit-remaining", "4999")]), (200, [("x-ratelimit-remaining", "0")])] {
            assert!(!answer(status, &told), "{status} {told:?}");
        }
    }
}
