//! Heroku: whose each key is, and which add-ons keep data there.
//!
//! <https://devcenter.heroku.com/articles/platform-api-reference>, `articles/oauth`; the fields are those of its published schema
//! (`heroku/platform-api`). No call tells a key its own scope but the list of authorizations, which comes with the tokens of
//! all of them and is not asked; so are the variables of apps. Backups are told by an interface that is not documented.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::Class;
use deadstop_core::time::Time;
use serde::Deserialize;

use super::Learnt;
use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, May, Seen, anything, listed};
use super::token::{Client, Shown, is_id, shown};
use crate::collector::Token;
use crate::readonly::{Read, ReadOnly, Reads};

pub(super) const HOST: &str = "api.heroku.com";
/// Kinds of credential that are asked about.
pub(super) const KINDS: [&str; 1] = ["api_key"];

const ABOUT: About = About {
    provider: "heroku",
    scope: "Heroku",
    allow: "to the key: an authorization of the scope read reads all of this",
};

const ACCOUNT: &str = "GET /account";
const TEAMS: &str = "GET /teams";
const APPS: &str = "GET /apps";
const COUPLINGS: &str = "GET /pipeline-couplings";
const ADDONS: &str = "GET /addons";

/// The only calls that are ever sent.
pub(super) static READS: Reads = Reads {
    provider: "heroku",
    own_host: |host| host == HOST,
    throttled: |answer| answer.status == 429,
    list: &[
        Read::rest(ACCOUNT, "/account", &[]),
        Read::rest(TEAMS, "/teams", &[]),
        Read::rest(APPS, "/apps", &[]),
        Read::rest(COUPLINGS, "/pipeline-couplings", &[]),
        Read::rest(ADDONS, "/addons", &[]),
    ],
};

/// Asks Heroku about these keys.
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    Learnt::of_each(ABOUT, tokens, at, |token| one(door, token, at))
}

#[derive(Deserialize)]
struct Account {
    id: String,
}

#[derive(Clone, Deserialize)]
struct Named {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct App {
    id: String,
    name: String,
    team: Option<Named>,
}

#[derive(Deserialize)]
struct Coupling {
    app: Id,
    stage: String,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Addon {
    id: String,
    name: String,
    app: Named,
    addon_service: Service,
    plan: Service,
}

#[derive(Deserialize)]
struct Service {
    name: String,
}

/// What is known of apps, and why not of all.
struct Apps {
    /// By the id of the app: its stage in a pipeline.
    stages: BTreeMap<String, String>,
    unstaged: Option<Gap>,
    all: Vec<App>,
}

impl Apps {
    fn environment(&self, app: &str, name: &str, facts: &mut Facts) -> Fact<String> {
        match (self.stages.get(app), &self.unstaged) {
            (Some(stage), None) => Fact::Known(shown(stage)),
            (_, Some(gap)) => Fact::Unknown(gap.clone()),
            (None, None) => {
                Fact::Unknown(facts.doubt(name, "an app is in no pipeline, whose stages say where it belongs"))
            }
        }
    }
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let accept = "application/vnd.heroku+json; version=3";
    let client = Client::new(door, &READS, HOST, token, Shown::Bearer).accepting(accept);
    let credential = token.credential.as_str();
    let account = client.get_object::<Account>(ACCOUNT, &[]);
    let account = account.and_then(|account| if is_id(&account.id) { Ok(account.id) } else { Err(Fault::malformed()) });
    let teams = client.get_ranged::<Named>(TEAMS);
    let apps = client.get_ranged::<App>(APPS);
    let couplings = client.get_ranged::<Coupling>(COUPLINGS);
    let addons = client.get_ranged::<Addon>(ADDONS);
    if let (Err(fault), Some(_), Some(_), Some(_)) = (&account, &teams.fault, &apps.fault, &addons.fault) {
        learnt.refuse(ACCOUNT, token, fault);
        return learnt;
    }
    let facts = &mut learnt.facts;
    let (root, who, name) = match &account {
        Ok(id) => (
            NodeId(format!("heroku:account/{id}")),
            format!("heroku:user/{id}#{credential}"),
            format!("Heroku user {id}, by one key"),
        ),
        Err(fault) => {
            facts.refused(ACCOUNT, credential, fault);
            let root = NodeId(format!("heroku:scope/{credential}"));
            (root, format!("heroku:key/{credential}"), "a Heroku key that is not told whose it is".to_owned())
        }
    };
    let who = PrincipalId(who);
    facts.principal(&who, &name, None, (ACCOUNT, credential));
    let why = "which scope an authorization was granted is told nowhere but beside its token";
    let untold = facts.doubt(credential, why);
    facts.everywhere(Some(&who), &untold, (ACCOUNT, credential));
    let may = May::NotKnown(untold);
    let mut gap = facts.outcome(APPS, credential, apps.fault);
    gap = gap.or(facts.outcome(ADDONS, credential, addons.fault));
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let unnamed = facts.outcome(TEAMS, credential, teams.fault);
    let of_apps = apps.items.iter().filter_map(|app| app.team.clone());
    all.extend(of_apps.chain(teams.items).filter(|team| is_id(&team.id)).map(|team| (team.id, team.name)));
    let strange = !apps.items.iter().all(|app| is_id(&app.id)) || !addons.items.iter().all(|one| is_id(&one.id));
    gap = gap.or_else(|| strange.then(|| facts.refused(APPS, credential, &Fault::malformed())));
    for (id, name) in &all {
        let title = format!("Heroku team {}", shown(name));
        let contents = hidden(gap.as_ref(), name, facts);
        let seen = Container { kind: "team", name: &title, contents, ..Container::of(team_node(id)) };
        facts.container(seen, (TEAMS, credential));
        facts.grant(Some(&who), anything(), team_node(id), &may, (TEAMS, credential));
    }
    let contents = match unnamed.or_else(|| gap.clone()) {
        Some(gap) => Fact::Unknown(gap),
        None => hidden(None, credential, facts),
    };
    let seen = Container { kind: "account", name: "Heroku, as a key sees it", contents, ..Container::of(root.clone()) };
    facts.container(seen, (APPS, credential));
    facts.grant(Some(&who), anything(), root.clone(), &may, (ACCOUNT, credential));
    let unstaged = facts.outcome(COUPLINGS, credential, couplings.fault);
    let stages = couplings.items.into_iter().map(|one| (one.app.id, one.stage)).collect();
    let apps = Apps { stages, unstaged, all: apps.items };
    list(facts, (&root, credential), &apps, &addons.items, gap.as_ref());
    let scope = "what its user may do, as far as its scope goes, which is not told".to_owned();
    facts.told.insert(token.credential.clone(), Told { kind: None, scope, environment: None });
    learnt.accept(token, who);
    learnt
}

fn team_node(id: &str) -> NodeId {
    NodeId(format!("heroku:team/{id}"))
}

/// Why it is not sure that all apps of a team or a user are listed.
fn hidden(gap: Option<&Gap>, name: &str, facts: &mut Facts) -> Fact<Listed> {
    let why = "a user may not be shown every app of a team, nor every add-on";
    listed(Some(gap.cloned().unwrap_or_else(|| facts.doubt(&shown(name), why))))
}

/// Apps that have add-ons, and these. Which add-on keeps data is not told: each may.
fn list(facts: &mut Facts, (root, credential): (&NodeId, &str), apps: &Apps, addons: &[Addon], gap: Option<&Gap>) {
    let with_addons = |app: &&App| is_id(&app.id) && addons.iter().any(|addon| addon.app.id == app.id);
    for app in apps.all.iter().filter(with_addons) {
        let name = shown(&app.name);
        let team = app.team.as_ref().filter(|team| is_id(&team.id)).map(|team| team_node(&team.id));
        let environment = apps.environment(&app.id, &name, facts);
        let title = format!("Heroku app {name}");
        let parent = Some(team.as_ref().unwrap_or(root));
        let contents = listed(gap.cloned());
        let seen = Container { kind: "app", name: &title, parent, contents, ..Container::of(app_node(&app.id)) };
        facts.container(Container { environment, ..seen }, (APPS, credential));
    }
    for addon in addons.iter().filter(|addon| is_id(&addon.id)) {
        let name = shown(&addon.name);
        let above = apps.all.iter().find(|app| app.id == addon.app.id && is_id(&app.id)).map(|app| app_node(&app.id));
        let copies = facts
            .doubt(&name, "backups of an add-on are told by an interface that is not documented, which is not asked");
        let environment = apps.environment(&addon.app.id, &name, facts);
        let class = match addon.addon_service.name.as_str() {
            "heroku-postgresql" => Class::Database,
            _ => Class::Store,
        };
        facts.seen(
            Seen {
                id: NodeId(format!("heroku:addon/{}", addon.id)),
                kind: "addon",
                class,
                name: format!("{}/{name}", shown(&addon.app.name)),
                parent: Some(above.as_ref().unwrap_or(root)),
                environment,
                contents: None,
                copies: Fact::Unknown(copies),
                holds: Some(shown(&addon.plan.name)),
            },
            (ADDONS, credential),
        );
        // The host of a database is told by a variable of the app alone.
        if class == Class::Database {
            facts.endpoint(&NodeId(format!("heroku:addon/{}", addon.id)), "postgres", None);
        }
    }
}

fn app_node(id: &str) -> NodeId {
    NodeId(format!("heroku:app/{id}"))
}
