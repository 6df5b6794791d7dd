//! From finds to facts (floor 5): one credential for each secret, its places, and what is not known of it yet.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, GapReason, Listed, Listing};
use deadstop_core::id::{CredentialId, NodeId, PrincipalId, SessionId, SourceId, StepId};
use deadstop_core::model::reach::{Answered, Outcome};
use deadstop_core::model::{Asset, Atom, Class, Credential, Location, Principal, Source, Status, Step};
use deadstop_core::time::Time;

use super::aws_key;
use super::collect::Gathered;
use super::find::{Find, Finds, Node, Spot, Strength};
use super::fingerprint::FingerprintKey;
use super::group::{TELLING, clusters, group, keys, logins, once, token};
use super::mask::Mask;
use super::reused;
use super::rules::Rules;
use super::starts::Starts;
use super::{AwsKeys, Clusters, Collected, Logins, McpServer, Paths, Stats, Tokens};
use crate::config::with_tokens;
use crate::secret::redact;

/// Where only its places tell a credential apart, this many of them make its key; the rest are still listed.
const KEY_PLACES: usize = 8;

/// States everything that was gathered.
pub(crate) fn state(
    gathered: Gathered,
    rules: &Rules,
    now: Time,
    sessions: &[SessionId],
    fingerprints: Option<&FingerprintKey>,
) -> Collected {
    let Gathered { mut finds, walked, unread, sealed, histories, paths } = gathered;
    let mask = Mask::of(&finds.finds);
    let before = finds.finds.len();
    finds.finds.retain(|find| !published(find));
    let published = before - finds.finds.len();
    if published > 0 {
        finds.notes.insert(format!(
            "{published} values in the caches of package managers look like passwords or connection URLs; what lies there was downloaded from a public registry, so they are not counted"
        ));
    }
    let mut facts = Facts {
        mask,
        rules,
        now,
        sessions,
        fingerprints,
        sources: BTreeMap::new(),
        principals: BTreeMap::new(),
        assets: BTreeMap::new(),
    };
    once(&mut finds);
    let groups = group(&finds.finds);
    let mut credentials = Vec::new();
    let mut ids: Vec<(CredentialId, Vec<usize>)> = Vec::new();
    let mut aws_keys = Vec::new();
    let (mut tokens, mut all_logins, mut passwords) = (Vec::new(), Vec::new(), reused::Passwords::default());
    let mut all_clusters = Vec::new();
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    for members in groups {
        let found: Vec<&Find> = members.iter().filter_map(|at| finds.finds.get(*at)).collect();
        if let Some(mut credential) = facts.credential(&found) {
            // Two secrets of one name in one file share a key; they are still two.
            let alike = alike.entry(credential.key.clone()).or_default();
            *alike += 1;
            if *alike > 1 && credential.fingerprint.is_none() {
                credential.id.0.push_str(&format!("~{alike}"));
            }
            if credential.kind == "access_key" {
                aws_keys.extend(keys(&credential.id, &found));
            }
            tokens.extend(token(&credential.id, &credential.provider, &credential.kind, &found));
            all_logins.extend(logins(&credential, &found));
            all_clusters.extend(clusters(&credential, &found));
            passwords.add(&credential, &found);
            ids.push((credential.id.clone(), members));
            credentials.push(credential);
        }
    }
    let (reused, doubt) = reused::steps(&passwords, &credentials, now);
    facts.sources.extend(doubt.map(|source| (source.id.clone(), source)));
    finds.nodes.sort();
    let placed: BTreeSet<NodeId> = finds.nodes.iter().map(|node| facts.node(node)).collect();
    for id in &placed {
        if let Some(asset) = facts.assets.get_mut(id) {
            asset.sources.sort();
            asset.sources.dedup();
        }
    }
    let mut steps = facts.steps(&finds, &ids);
    steps.extend(reused);
    let mcp_servers = facts.servers(&finds, &ids);
    let mut gaps: Vec<Gap> = unread.iter().map(|(path, reason)| facts.unread(path, *reason)).collect();
    gaps.extend(sealed.iter().map(|(path, about)| facts.sealed(path, about)));
    gaps.extend(histories.iter().map(|(path, reason)| facts.unread_history(path, *reason)));
    let reach = gaps.first().map_or(Fact::Known(Listed::Complete), |gap| Fact::Unknown(gap.clone()));
    credentials.sort();
    let mut asked: Vec<Gap> = credentials.iter().filter_map(|found| found.identity.gap().cloned()).collect();
    asked.sort();
    asked.dedup();
    Collected {
        credentials: Listing { items: credentials, gaps },
        principals: Listing { items: facts.principals.into_values().collect(), gaps: asked.clone() },
        grants: Listing { items: Vec::new(), gaps: asked },
        assets: Listing { items: facts.assets.into_values().collect(), gaps: Vec::new() },
        protections: Listing::empty(),
        recovery_points: Listing::empty(),
        steps: Listing { items: steps, gaps: Vec::new() },
        mcp_servers,
        aws_keys: AwsKeys(aws_keys),
        tokens: Tokens(tokens),
        logins: Logins(all_logins),
        clusters: Clusters(all_clusters),
        reach,
        notes: finds.notes.iter().map(|note| facts.mask.hide(note)).collect(),
        stats: Stats {
            files: walked.files,
            bytes: walked.bytes,
            folders: walked.folders,
            links: walked.links,
            refused: walked.refused,
            dummies: finds.dummies,
        },
        paths: Paths(paths.into_iter().map(|(shown, path)| (facts.mask.hide(&shown), path)).collect()),
        sources: facts.sources.into_values().collect(),
    }
}

/// Folders in which package managers keep what they downloaded. Anyone can download the same.
const CACHES: [&str; 9] = [
    "~/.cargo/registry/",
    "~/.rustup/toolchains/",
    "~/go/pkg/mod/",
    "~/.m2/repository/",
    "~/.gradle/caches/",
    "~/.npm/_cacache/",
    "~/.cache/pip/",
    "~/.pyenv/versions/",
    "~/.rbenv/versions/",
];

/// Whether a find is the example of some public package: a guess or a URL, nothing with a provider's own form.
fn published(find: &Find) -> bool {
    let weak = find.strength == Strength::Guess
        || find.kind == "connection_url"
        || ["jwt", "private_key"].contains(&find.kind.as_str());
    weak && find.spot.kind == "file" && CACHES.iter().any(|cache| find.spot.path.starts_with(cache))
}

struct Facts<'a> {
    mask: Mask,
    rules: &'a Rules,
    now: Time,
    sessions: &'a [SessionId],
    fingerprints: Option<&'a FingerprintKey>,
    sources: BTreeMap<SourceId, Source>,
    principals: BTreeMap<PrincipalId, Principal>,
    assets: BTreeMap<NodeId, Asset>,
}

impl Facts<'_> {
    /// The source that a place is, added if it is new.
    fn read(&mut self, spot: &Spot, provider: Option<&str>) -> SourceId {
        let path = self.mask.hide(&spot.path);
        let key = spot.key.as_deref().map(|key| super::places::printable(&self.mask.hide_name(key)));
        let place = spot.line.map_or_else(|| path.clone(), |line| format!("{path}:{line}"));
        let id = SourceId(format!("{}:{place}#{}", spot.kind, key.as_deref().unwrap_or_default()));
        self.sources.entry(id.clone()).or_insert_with(|| Source {
            id: id.clone(),
            provider: provider.map(str::to_owned),
            operation: format!("read {path}"),
            scope: None,
            outcome: Outcome::Answered(Answered::Answered),
            at: self.now,
            run: None,
            excerpt: Some(redact(key.as_deref())),
            place: Some(place),
            settle: None,
        });
        id
    }

    /// The gap of a provider that nobody has asked.
    fn not_asked(&mut self, provider: &str) -> Gap {
        let id = SourceId(format!("ask:{provider}"));
        let known = self.rules.providers.get(provider);
        let askable = known.is_some_and(|known| known.assets);
        let reason = if askable { GapReason::NotAsked } else { GapReason::Unsupported };
        let title = known.map_or(provider, |known| known.title.as_str());
        self.sources.entry(id.clone()).or_insert_with(|| Source {
            id: id.clone(),
            provider: Some(provider.to_owned()),
            operation: format!("ask {title}"),
            scope: None,
            outcome: Outcome::Not(reason),
            at: self.now,
            run: None,
            excerpt: None,
            place: None,
            settle: askable.then(|| match provider {
                "kubernetes" | "mongodb" | "mysql" | "postgres" | "redis" => format!(
                    "run with --live and a file of --config that names its host (providers: {{{provider}: {{hosts: […]}}}}), or merge facts of {title} (--merge)"
                ),
                _ if provider == "aws" || with_tokens(provider) => {
                    format!("run with --live, or merge facts of {title} (--merge)")
                }
                _ => format!("merge facts of {title} (--merge); this version does not ask it"),
            }),
        });
        Gap { source: id, reason }
    }

    /// The gap of a file or folder that was not read.
    fn unread(&mut self, path: &str, reason: GapReason) -> Gap {
        let path = self.mask.hide(path);
        let id = SourceId(format!("unread:{path}"));
        let settle = if reason == GapReason::TimedOut {
            Some("allow more time with --read-time, or name fewer folders".to_owned())
        } else {
            let link = (reason == GapReason::NotAsked)
                .then_some("it is a link: name the folder that it leads to as a PATH, too");
            link.map(str::to_owned)
        };
        self.sources.entry(id.clone()).or_insert_with(|| Source {
            id: id.clone(),
            provider: None,
            operation: format!("read {path}"),
            scope: None,
            outcome: Outcome::Not(reason),
            at: self.now,
            run: None,
            excerpt: None,
            place: Some(path),
            settle,
        });
        Gap { source: id, reason }
    }

    /// The gap of a store that is there and cannot be read here.
    fn sealed(&mut self, path: &str, about: &str) -> Gap {
        let path = self.mask.hide(path);
        let id = SourceId(format!("sealed:{path}"));
        let settle = format!(
            "it is no text that can be read whole ({about}): look through what it holds by hand, as a program that it is opened for reads it"
        );
        let source = Source::unanswered(id.clone(), &format!("read {path}"), GapReason::Unsupported, &settle, self.now);
        self.sources.entry(id.clone()).or_insert(Source { place: Some(path), ..source });
        Gap { source: id, reason: GapReason::Unsupported }
    }

    /// The gap of a repository whose history was not read, or not to its end.
    fn unread_history(&mut self, path: &str, reason: GapReason) -> Gap {
        let path = self.mask.hide(path);
        let id = SourceId(format!("history:{path}:{}", reason.words()));
        let settle = match reason {
            GapReason::NotAsked => "run with --git-history",
            GapReason::TimedOut => "allow more time with --read-time",
            GapReason::Unsupported => "install git in a folder of the system",
            GapReason::Unreachable => "a part of it is elsewhere: fetch the whole of it (git fetch --unshallow)",
            GapReason::Denied
            | GapReason::Throttled
            | GapReason::Malformed
            | GapReason::Vanished
            | GapReason::TooLarge
            | GapReason::Conflicting
            | GapReason::Stale
            | GapReason::CheckBroken => "look at what `git fsck` says there",
        };
        let operation = format!("read the history of the repository {path}");
        let source = Source::unanswered(id.clone(), &operation, reason, settle, self.now);
        self.sources.entry(id.clone()).or_insert(Source { place: Some(path), ..source });
        Gap { source: id, reason }
    }

    /// One credential with all its places. The first find is the surest.
    fn credential(&mut self, found: &[&Find]) -> Option<Credential> {
        let best = found.iter().max_by_key(|find| (find.strength, std::cmp::Reverse((&find.kind, &find.spot))))?;
        let first = |pick: &dyn Fn(&Find) -> Option<String>| found.iter().find_map(|find| pick(find));
        let provider = best.provider.clone();
        let public_id = first(&|find| find.public_id.clone()).map(|id| self.mask.hide(&id));
        let mut scope =
            first(&|find| find.scope.clone()).map(|scope| super::places::printable(&self.mask.hide(&scope)));
        let mut kind = best.kind.clone();
        if provider == "aws" && kind == "access_key" && found.iter().all(|find| find.secret.is_none()) {
            "access_key_id".clone_into(&mut kind);
            scope = Some("only its id was found, not its secret".to_owned());
        }
        if provider == "aws" && public_id.as_deref().is_some_and(aws_key::is_canary) {
            "canary_token".clone_into(&mut kind);
            scope = Some("a trap: whoever set it is told of each use, so it is never sent anywhere".to_owned());
        }
        let expires = found.iter().filter_map(|find| find.expires).max();
        let renewed = found.iter().any(|find| find.renewable);
        if let Some(end) = expires.filter(|end| *end <= self.now && !renewed) {
            let ended = format!("ended on {} by its own account", end.day());
            scope = Some(scope.map_or_else(|| ended.clone(), |scope| format!("{scope}; {ended}")));
        }
        let (locations, sources) = self.locations(found, &provider);
        let told = public_id.clone().unwrap_or_else(|| {
            let places: Vec<String> = locations
                .iter()
                .take(KEY_PLACES)
                .map(|at| format!("{}#{}", at.path, at.key.as_deref().unwrap_or_default()))
                .collect();
            format!("@{}", places.join(","))
        });
        let key = format!("{provider}:{kind}:{told}");
        let fingerprint = self.fingerprints.filter(|_| public_id.is_none()).and_then(|with| {
            // A short word may well be two passwords by chance.
            let secret = found.iter().find_map(|find| find.secret.as_ref()).filter(|secret| secret.len() >= TELLING)?;
            with.of(&provider, &kind, secret)
        });
        let id = match &fingerprint {
            Some(fingerprint) => CredentialId(format!("{provider}:{kind}:#{fingerprint}")),
            None => CredentialId(key.clone()),
        };
        let gap = self.not_asked(&provider);
        let status = if renewed { Fact::Known(Status::Live) } else { Fact::Unknown(gap.clone()) };
        let identity = match found.iter().find_map(|find| find.identity.clone()) {
            Some((who, name)) => Fact::Known(self.principal(&who, &name, &provider, &sources, &gap)),
            None => Fact::Unknown(gap.clone()),
        };
        let within = first(&|find| find.within.clone()).map(|node| NodeId(self.mask.hide(&node)));
        if within.is_none() && self.rules.has_assets(&provider) {
            let key = found.iter().find_map(|find| find.spot.key.clone());
            let label = public_id.clone().or(key).unwrap_or_else(|| kind.replace('_', " "));
            let label = super::places::printable(&self.mask.hide_name(&label));
            self.scope(&id, &provider, public_id.as_deref(), &label, &sources, &gap);
        }
        Some(Credential {
            id,
            key,
            provider,
            kind,
            public_id,
            fingerprint,
            expires,
            status,
            identity,
            scope,
            within,
            environment: None,
            locations,
            sources,
        })
    }

    fn locations(&mut self, found: &[&Find], provider: &str) -> (Vec<Location>, Vec<SourceId>) {
        let mut by_place: BTreeMap<(&str, &str, Option<u64>), &Find> = BTreeMap::new();
        for find in found {
            let place = (find.spot.kind, find.spot.path.as_str(), find.spot.line);
            // Two variables of one environment are two places; two readings of one line are one.
            let known = by_place.entry(place).or_insert(find);
            let better = |find: &Find| {
                (find.parsed, find.spot.key.is_some(), find.strength, std::cmp::Reverse(find.spot.key.clone()))
            };
            if better(find) > better(known) {
                *known = find;
            }
        }
        let mut spots: Vec<&Spot> = by_place.values().map(|find| &find.spot).collect();
        spots.extend(found.iter().map(|find| &find.spot).filter(|spot| spot.kind == "environment"));
        spots.sort();
        spots.dedup();
        let lined: BTreeSet<&str> =
            spots.iter().filter(|spot| spot.line.is_some()).map(|spot| spot.path.as_str()).collect();
        spots.retain(|spot| spot.kind != "file" || spot.line.is_some() || !lined.contains(spot.path.as_str()));
        let sources: Vec<SourceId> = spots.iter().map(|spot| self.read(spot, Some(provider))).collect();
        let locations = spots
            .iter()
            .map(|spot| Location {
                kind: spot.kind.to_owned(),
                path: self.mask.hide(&spot.path),
                line: spot.line,
                key: spot.key.as_deref().map(|key| super::places::printable(&self.mask.hide_name(key))),
                sessions: self.sessions.to_vec(),
                refused: Vec::new(),
            })
            .collect();
        (locations, sources)
    }

    fn principal(&mut self, who: &str, name: &str, provider: &str, sources: &[SourceId], gap: &Gap) -> PrincipalId {
        let id = PrincipalId(self.mask.hide(who));
        let name = super::places::printable(&self.mask.hide(name));
        self.principals.entry(id.clone()).or_insert_with(|| Principal {
            id: id.clone(),
            provider: provider.to_owned(),
            name,
            environment: None,
            grants: Fact::Unknown(gap.clone()),
            sources: sources.to_vec(),
        });
        id
    }

    /// What else the credential may act on: its account where its id tells that, else a container of its own.
    fn scope(
        &mut self,
        credential: &CredentialId,
        provider: &str,
        public_id: Option<&str>,
        label: &str,
        sources: &[SourceId],
        gap: &Gap,
    ) {
        let account = public_id.filter(|_| provider == "aws").and_then(aws_key::account);
        let (id, kind, name) = match account {
            Some(account) => (format!("aws:account/{account}"), "account", format!("AWS account {account}")),
            None => {
                let title = self.rules.providers.get(provider).map_or(provider, |known| known.title.as_str());
                (format!("{provider}:scope/{credential}"), "scope", format!("{title} behind {label}"))
            }
        };
        let node = NodeId(id);
        self.assets.entry(node.clone()).or_insert_with(|| Asset {
            id: node,
            provider: provider.to_owned(),
            kind: kind.to_owned(),
            class: Class::Container,
            name,
            parent: None,
            environment: Fact::Unknown(gap.clone()),
            contents: Some(Fact::Unknown(gap.clone())),
            protections: Fact::Unknown(gap.clone()),
            copies: Fact::Unknown(gap.clone()),
            behind: Vec::new(),
            holds: None,
            sources: sources.to_vec(),
        });
    }

    fn node(&mut self, node: &Node) -> NodeId {
        let source = self.read(&node.spot, Some(&node.provider));
        let gap = self.not_asked(&node.provider);
        let id = NodeId(super::places::printable(&self.mask.hide(&node.id)));
        let name = super::places::printable(&self.mask.hide(&node.name));
        let parent = node.parent.as_deref().map(|parent| NodeId(self.mask.hide(parent)));
        let asset = self.assets.entry(id.clone()).or_insert_with(|| Asset {
            id: id.clone(),
            provider: node.provider.clone(),
            kind: node.kind.clone(),
            class: node.class,
            name,
            parent,
            environment: Fact::Unknown(gap.clone()),
            contents: node.class.is_container().then(|| Fact::Unknown(gap.clone())),
            protections: Fact::Unknown(gap.clone()),
            copies: Fact::Unknown(gap.clone()),
            behind: Vec::new(),
            holds: None,
            sources: Vec::new(),
        });
        asset.sources.push(source);
        id
    }

    /// Roles that profiles with keys act as.
    fn steps(&mut self, finds: &Finds, ids: &[(CredentialId, Vec<usize>)]) -> Vec<Step> {
        let starts = Starts::of(finds, ids);
        let mut steps = BTreeMap::new();
        for chain in &finds.chains {
            let source = self.read(&chain.spot, Some("aws"));
            let gap = self.not_asked("aws");
            let role = self.principal(&chain.role, &chain.role, "aws", std::slice::from_ref(&source), &gap);
            let profile = self.mask.hide_name(&chain.profile);
            for (at, needs) in starts.before(chain, &self.mask).into_iter().enumerate() {
                let id = StepId(format!("assume:{profile}:{role}:{}:{at}", self.mask.hide(&chain.spot.path)));
                let step = Step {
                    id: id.clone(),
                    session: None,
                    needs,
                    gains: vec![Atom::Principal(role.clone())],
                    changes: false,
                    possible: Fact::Unknown(gap.clone()),
                    because: format!("assume {role}, as profile {profile} does"),
                    sources: vec![source.clone()],
                };
                steps.insert(id, step);
            }
        }
        steps.into_values().collect()
    }

    fn servers(&self, finds: &Finds, ids: &[(CredentialId, Vec<usize>)]) -> Vec<McpServer> {
        let mut holders: BTreeMap<&[u8], BTreeSet<&CredentialId>> = BTreeMap::new();
        for (id, members) in ids {
            for secret in members.iter().filter_map(|at| finds.finds.get(*at)?.secret.as_ref()) {
                holders.entry(secret.expose()).or_default().insert(id);
            }
        }
        let mut servers: Vec<McpServer> = Vec::new();
        for server in &finds.servers {
            let held: BTreeSet<&CredentialId> =
                server.secrets.iter().filter_map(|secret| holders.get(secret.expose())).flatten().copied().collect();
            let shown = |text: &str| super::places::printable(&self.mask.hide(text));
            servers.push(McpServer {
                name: shown(&server.name),
                file: shown(&server.spot.path),
                line: server.spot.line,
                command: server.command.as_deref().map(shown),
                url: server.url.as_deref().map(shown),
                credentials: held.into_iter().cloned().collect(),
            });
        }
        servers.sort();
        servers.dedup();
        servers
    }
}
