//! What providers say of the credentials that were found: who each is, what it may destroy, and what guards that (floor 5).
//!
//! Asked only with `--live`, by read operations alone ([`crate::readonly`]), in the name of the credential itself.

mod aiven;
mod answered;
pub mod aws;
mod cloudflare;
pub mod databases;
mod digest;
mod digitalocean;
mod facts;
mod fly;
mod github;
mod google;
mod heroku;
pub mod kubernetes;
mod mongodb;
mod mongodb_atlas;
mod mysql;
mod neon;
mod planetscale;
mod platform;
mod pool;
mod postgres;
pub mod railway;
mod redis;
mod render;
pub mod same;
pub(crate) mod sqlite;
mod supabase;
mod terraform;
mod token;
mod turso;
mod upstash;
mod vercel;

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::bundle::Bundle;
use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::{CredentialId, NodeId, PrincipalId, StepId};
use deadstop_core::model::Status;
use deadstop_core::time::Time;

use crate::collector::{Token, Tokens};
use crate::readonly::{ReadOnly, Reads};
use facts::{About, Facts, Fault};
use same::Endpoint;

/// What was learnt of credentials and of what lies behind them.
#[derive(Debug)]
pub struct Learnt {
    /// Of each credential that was asked about: who it is, and whether it works.
    pub(crate) identities: BTreeMap<CredentialId, (Fact<PrincipalId>, Fact<Status>)>,
    /// The parts of the tree that are described now.
    pub(crate) described: Vec<NodeId>,
    /// Servers of which nothing was learnt, each with why.
    pub(crate) open: Vec<(NodeId, Gap)>,
    /// Whether steps that files tell of are possible.
    pub(crate) settled: BTreeMap<StepId, Fact<bool>>,
    /// What servers call themselves by, whatever name they are reached under.
    pub(crate) marks: BTreeMap<NodeId, String>,
    /// Servers that follow one another, `host:port`, and so are one thing.
    pub(crate) members: BTreeMap<NodeId, BTreeSet<String>>,
    /// Servers that stand before others, whose names they do not tell.
    pub(crate) fronts: BTreeSet<NodeId>,
    pub(crate) facts: Facts,
}

impl Learnt {
    const fn new(facts: Facts) -> Self {
        Self {
            identities: BTreeMap::new(),
            described: Vec::new(),
            open: Vec::new(),
            settled: BTreeMap::new(),
            marks: BTreeMap::new(),
            members: BTreeMap::new(),
            fronts: BTreeSet::new(),
            facts,
        }
    }

    /// What is learnt with each of these tokens, a few asked at once.
    fn of_each(about: About, tokens: &[Token], at: Time, one: impl Fn(&Token) -> Self + Sync) -> Self {
        let mut learnt = Self::new(Facts::new(about, at));
        pool::at_once(AT_ONCE, tokens, one).into_iter().for_each(|seen| learnt.absorb(seen));
        learnt
    }

    /// Takes over what was learnt with another credential.
    fn absorb(&mut self, other: Self) {
        self.identities.extend(other.identities);
        self.described.extend(other.described);
        self.open.extend(other.open);
        self.settled.extend(other.settled);
        self.marks.extend(other.marks);
        self.members.extend(other.members);
        self.fronts.extend(other.fronts);
        self.facts.absorb(other.facts);
    }

    /// Notes that a token was not accepted, or that this was not answered. Whether it still works stays open: no platform is
    /// known to say of one that is gone what it says of no other.
    fn refuse(&mut self, operation: &str, token: &Token, fault: &Fault) {
        let gap = self.facts.refused(operation, token.credential.as_str(), fault);
        self.identities.insert(token.credential.clone(), (Fact::Unknown(gap.clone()), Fact::Unknown(gap)));
    }

    /// Notes that the provider accepts a token, and why it is not known whose it is.
    fn unnamed(&mut self, token: &Token, gap: Gap) {
        self.identities.insert(token.credential.clone(), (Fact::Unknown(gap), Fact::Known(Status::Live)));
    }

    /// Notes that the provider accepts a token, and whose it is. What it acts on is described by now.
    fn accept(&mut self, token: &Token, who: PrincipalId) {
        self.described.push(NodeId(format!("{}:scope/{}", token.provider, token.credential)));
        self.identities.insert(token.credential.clone(), (Fact::Known(who), Fact::Known(Status::Live)));
    }
}

/// A provider that is asked with tokens.
struct Asked {
    name: &'static str,
    title: &'static str,
    host: &'static str,
    reads: &'static Reads,
    /// Its kinds of credential that are sent to it, and to nobody else.
    kinds: &'static [&'static str],
    ask: fn(&ReadOnly, &[Token], Time) -> Learnt,
}

static ASKED: [Asked; 17] = [
    Asked {
        name: "aiven",
        title: "Aiven",
        host: aiven::HOST,
        reads: &aiven::READS,
        kinds: &aiven::KINDS,
        ask: aiven::ask,
    },
    Asked {
        name: "cloudflare",
        title: "Cloudflare",
        host: cloudflare::HOST,
        reads: &cloudflare::READS,
        kinds: &cloudflare::KINDS,
        ask: cloudflare::ask,
    },
    Asked {
        name: "digitalocean",
        title: "DigitalOcean",
        host: digitalocean::HOST,
        reads: &digitalocean::READS,
        kinds: &digitalocean::KINDS,
        ask: digitalocean::ask,
    },
    Asked { name: "fly", title: "Fly.io", host: fly::HOSTS, reads: &fly::READS, kinds: &fly::KINDS, ask: fly::ask },
    Asked {
        name: "github",
        title: "GitHub",
        host: github::HOST,
        reads: &github::READS,
        kinds: &github::KINDS,
        ask: github::ask,
    },
    Asked {
        name: google::NAME,
        title: "Google Cloud",
        host: google::HOSTS,
        reads: &google::READS,
        kinds: &google::KINDS,
        ask: google::ask,
    },
    Asked {
        name: "heroku",
        title: "Heroku",
        host: heroku::HOST,
        reads: &heroku::READS,
        kinds: &heroku::KINDS,
        ask: heroku::ask,
    },
    Asked {
        name: "mongodb_atlas",
        title: "MongoDB Atlas",
        host: mongodb_atlas::HOST,
        reads: &mongodb_atlas::READS,
        kinds: &mongodb_atlas::KINDS,
        ask: mongodb_atlas::ask,
    },
    Asked { name: "neon", title: "Neon", host: neon::HOST, reads: &neon::READS, kinds: &neon::KINDS, ask: neon::ask },
    Asked {
        name: "planetscale",
        title: "PlanetScale",
        host: planetscale::HOST,
        reads: &planetscale::READS,
        kinds: &planetscale::KINDS,
        ask: planetscale::ask,
    },
    Asked {
        name: "railway",
        title: "Railway",
        host: railway::HOST,
        reads: &railway::READS,
        kinds: &railway::KINDS,
        ask: railway::ask,
    },
    Asked {
        name: "render",
        title: "Render",
        host: render::HOST,
        reads: &render::READS,
        kinds: &render::KINDS,
        ask: render::ask,
    },
    Asked {
        name: "supabase",
        title: "Supabase",
        host: supabase::HOST,
        reads: &supabase::READS,
        kinds: &supabase::KINDS,
        ask: supabase::ask,
    },
    Asked {
        name: "terraform",
        title: "HCP Terraform",
        host: terraform::HOST,
        reads: &terraform::READS,
        kinds: &terraform::KINDS,
        ask: terraform::ask,
    },
    Asked {
        name: "turso",
        title: "Turso",
        host: turso::HOST,
        reads: &turso::READS,
        kinds: &turso::KINDS,
        ask: turso::ask,
    },
    Asked {
        name: "upstash",
        title: "Upstash",
        host: upstash::HOST,
        reads: &upstash::READS,
        kinds: &upstash::KINDS,
        ask: upstash::ask,
    },
    Asked {
        name: "vercel",
        title: "Vercel",
        host: vercel::HOST,
        reads: &vercel::READS,
        kinds: &vercel::KINDS,
        ask: vercel::ask,
    },
];

/// What would be asked of a provider.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its name.
    pub provider: &'static str,
    /// Its name in prose.
    pub title: &'static str,
    /// Its own host.
    pub host: &'static str,
    /// The kinds of its credentials that are sent to it, in words.
    pub kinds: String,
    /// What is asked, one operation each.
    pub operations: Vec<&'static str>,
}

/// What would be asked of the providers that are asked with tokens.
pub fn plans() -> impl Iterator<Item = Plan> {
    ASKED.iter().map(|asked| Plan {
        provider: asked.name,
        title: asked.title,
        host: asked.host,
        kinds: asked.kinds.iter().map(|kind| format!("{}s", kind.replace('_', " "))).collect::<Vec<_>>().join(", "),
        operations: asked.reads.list.iter().map(|read| read.operation).collect(),
    })
}

/// How many tokens of one provider are asked about at once.
const AT_ONCE: usize = 8;

/// How many tokens of one provider are asked about. More in one place are guesses of whoever put them there.
const MOST: usize = 100;

/// The providers that are asked.
pub fn names() -> impl Iterator<Item = &'static str> {
    let engines = databases::ENGINES.iter().map(|engine| engine.name);
    let mut all: Vec<&str> =
        ASKED.iter().map(|asked| asked.name).chain(["aws", kubernetes::NAME]).chain(engines).collect();
    all.sort_unstable();
    all.into_iter()
}

/// Asks the providers of these tokens, and puts what is learnt in its place.
///
/// Gives the hosts of databases that were seen.
pub(crate) fn ask(
    door: &ReadOnly,
    tokens: &Tokens,
    wanted: &dyn Fn(&str) -> bool,
    at: Time,
    bundle: &mut Bundle,
) -> Vec<Endpoint> {
    let with = |asked: &'static Asked| {
        let of = |token: &&Token| token.provider == asked.name && asked.kinds.contains(&token.kind.as_str());
        (asked, tokens.0.iter().filter(of).take(MOST).cloned().collect::<Vec<Token>>())
    };
    let each: Vec<_> =
        ASKED.iter().filter(|asked| wanted(asked.name)).map(with).filter(|(_, tokens)| !tokens.is_empty()).collect();
    let mut endpoints = Vec::new();
    // Providers do not wait for each other; what one of them is asked for at once, it says itself.
    for mut learnt in pool::at_once(ASKED.len(), &each, |(asked, tokens)| (asked.ask)(door, tokens, at)) {
        learnt.described.extend(learnt.facts.assets.iter().map(|asset| asset.id.clone()));
        endpoints.append(&mut learnt.facts.endpoints);
        join(bundle, learnt);
    }
    endpoints
}

/// Puts what was learnt in the place of what was not known.
pub fn join(bundle: &mut Bundle, learnt: Learnt) {
    let Learnt { identities, described, open: _, settled, marks: _, members: _, fronts: _, facts } = learnt;
    for step in &mut bundle.steps.items {
        if let Some(possible) = settled.get(&step.id) {
            step.possible = possible.clone();
        }
    }
    for credential in &mut bundle.credentials.items {
        if let Some(told) = facts.told.get(&credential.id) {
            credential.scope = Some(told.scope.clone());
            credential.environment.clone_from(&told.environment);
            if let Some(kind) = told.kind {
                kind.clone_into(&mut credential.kind);
            }
        }
        if let Some((identity, status)) = identities.get(&credential.id) {
            credential.identity = identity.clone();
            // A login that renews it lies beside it: it works, whatever the provider says of what has expired.
            if credential.status.known() != Some(&Status::Live) {
                credential.status = status.clone();
            }
        }
    }
    bundle.assets.items.retain(|asset| !described.contains(&asset.id));
    let read: Vec<&PrincipalId> = facts.principals.iter().map(|principal| &principal.id).collect();
    bundle.principals.items.retain(|principal| !read.contains(&&principal.id));
    bundle.sources.extend(facts.sources.into_values());
    bundle.principals.items.extend(facts.principals);
    bundle.grants.items.extend(facts.grants);
    bundle.steps.items.extend(facts.steps);
    bundle.assets.items.extend(facts.assets);
    bundle.protections.items.extend(facts.protections);
    bundle.recovery_points.items.extend(facts.copies);
    bundle.drills.items.extend(facts.drills);
    bundle.groups.extend(facts.groups.into_values());
    // What was missing because nobody had asked is there, once every credential of it is known.
    let mut open: Vec<Gap> = bundle.credentials.items.iter().filter_map(|one| one.identity.gap().cloned()).collect();
    open.sort();
    open.dedup();
    bundle.principals.gaps.clone_from(&open);
    bundle.grants.gaps = open;
    bundle.grants.items.sort();
    bundle.grants.items.dedup();
}

#[cfg(test)]
mod tests {
    use super::ASKED;
    use crate::config::WITH_TOKENS;

    #[test]
    fn who_is_asked_with_tokens_is_written_down_once() {
        assert_eq!(ASKED.each_ref().map(|asked| (asked.name, asked.title)), WITH_TOKENS);
    }
}
