//! Which changes are worth trying, from what is open or slow (floor 2).

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::apply::{Change, copy_out_id};
use super::{Candidate, artefact};
use crate::answer::Judged;
use crate::id::{CredentialId, NodeId, PrincipalId, SessionId};
use crate::model::{Agent, Atom, Credential, Protection, Way};
use crate::path::case::{Registry, Rights};
use crate::path::recovery::NOTICE_ASSUMED;
use crate::path::{Path, Route, Walker};
use crate::policy::Policy;
use crate::power::ground::{Deed, Ground, IdentityNo, Key};
use crate::time::Span;
use crate::verdict::{LayerName, Prevention, Recovery};
use crate::world::World;

/// Every change that is worth trying for the assets that the headline counts.
#[must_use]
pub fn candidates(ground: &Ground<'_>, policy: &Policy, judged: &[Judged]) -> Vec<Candidate> {
    let world = ground.world;
    let mut gather = Gather {
        ground,
        policy,
        actors: BTreeSet::new(),
        numbers: BTreeSet::new(),
        seen: BTreeSet::new(),
        credentials: BTreeSet::new(),
        found: BTreeMap::new(),
    };
    let counted: Vec<&Judged> = judged.iter().filter(|j| j.standing.in_headline).collect();
    let open: Vec<&&Judged> = counted.iter().filter(|j| j.worst.rated() < policy.target).collect();
    let registry = Registry::new(ground);
    let acts: Vec<Acts<'_>> = open.iter().map(|asset| Acts::of(ground, &registry, &asset.asset)).collect();
    for session in world.sessions.values().filter(|session| world.counts(session)) {
        let walker = Walker::new(ground, policy, session);
        gather.seen.clear();
        for asset in &acts {
            gather.actors_of(&walker, asset);
        }
        gather.name_actors();
        gather.credentials_of(&walker);
    }
    gather.revoke();
    gather.deny();
    gather.ways(&open);
    for asset in &open {
        gather.protect(&asset.asset);
    }
    for asset in
        counted.iter().filter(|j| j.worst.prevention != Prevention::Stopped || j.worst.recovery == Recovery::None)
    {
        gather.copies(asset);
    }
    gather.found.into_values().collect()
}

/// Providers whose tokens carry no narrower rights than all that their user has: there is no delete right to take away,
/// only the token. Railway: a token has a workspace or a project and no operations (its published GraphQL schema);
/// Render, Heroku and Supabase's classic tokens: full access by their documentation. Reviewed 2026-11-30.
const UNSCOPED: [&str; 4] = ["heroku", "railway", "render", "supabase"];

/// Providers of which what is found is the name of a file of this machine: it proves nobody and cannot be rotated, and whoever
/// stands there without it may write the file as well.
const OF_FILES: [&str; 1] = ["sqlite"];

/// Who may destroy an asset or lift what guards it, whoever asks.
struct Acts<'w> {
    rights: Vec<Rc<Rights>>,
    principals: Vec<&'w PrincipalId>,
}

impl<'w> Acts<'w> {
    fn of(ground: &Ground<'w>, registry: &Registry<'_, 'w>, asset: &NodeId) -> Self {
        let deeds = ground.deeds.get(asset).into_iter().flatten();
        let mut acts = Self { rights: deeds.map(|deed| registry.rights(deed)).collect(), principals: Vec::new() };
        for guard in ground.protections_on.get(asset).into_iter().flatten() {
            let guard: &'w Protection = guard;
            for atom in guard.lifts.known().into_iter().flatten().flat_map(|lift| &lift.needs) {
                if let Atom::Can { action, target } = atom {
                    acts.rights.push(registry.rights(&Deed {
                        action: action.clone(),
                        on: target.clone(),
                        entry: None,
                    }));
                }
                if let Atom::Principal(id) = atom {
                    acts.principals.push(id);
                }
            }
        }
        acts
    }
}

struct Gather<'g, 'w> {
    ground: &'g Ground<'w>,
    policy: &'g Policy,
    actors: BTreeSet<PrincipalId>,
    numbers: BTreeSet<IdentityNo>,
    /// The rights that were looked at, of those that are the same for many deeds.
    seen: BTreeSet<usize>,
    credentials: BTreeSet<CredentialId>,
    found: BTreeMap<String, Candidate>,
}

impl Gather<'_, '_> {
    fn add(&mut self, candidate: Candidate) {
        self.found.insert(candidate.key.clone(), candidate);
    }

    /// Identities in power that may do what destroys the asset, lifts what guards it or takes its copies.
    fn actors_of(&mut self, walker: &Walker<'_, '_>, asset: &Acts<'_>) {
        for rights in &asset.rights {
            if rights.shared.is_some_and(|number| !self.seen.insert(number)) {
                continue;
            }
            self.numbers.extend(walker.may_act(rights));
        }
        self.actors.extend(asset.principals.iter().filter(|id| walker.holds(id)).map(|id| (*id).clone()));
    }

    /// The names of those found so far.
    fn name_actors(&mut self) {
        let named = std::mem::take(&mut self.numbers);
        self.actors.extend(named.into_iter().filter_map(|number| self.ground.identity(number).cloned()));
    }

    /// Credentials that identities in power start from.
    fn credentials_of(&mut self, walker: &Walker<'_, '_>) {
        for actor in &self.actors {
            self.credentials.extend(self.ground.credentials_of.get(actor).into_iter().flatten().cloned());
            for way in self.ground.deputies_of.get(actor).into_iter().flatten() {
                self.credentials.extend(way.holds.iter().cloned());
            }
            let Some(atom) = self.ground.find(&Key::Held(actor.clone())) else { continue };
            for (at, _) in walker.power.witness(atom) {
                if let Some(Key::Hold(id)) = walker.power.key(at) {
                    self.credentials.insert(id.clone());
                }
            }
        }
    }

    fn revoke(&mut self) {
        let world = self.ground.world;
        let list = self.credentials.iter().filter_map(|id| world.credentials.get(id));
        let list: Vec<&Credential> = list.filter(|one| !OF_FILES.contains(&one.provider.as_str())).collect();
        let mut of_key: BTreeMap<&str, usize> = BTreeMap::new();
        world.credentials.values().for_each(|credential| *of_key.entry(&credential.key).or_default() += 1);
        for credential in list {
            let places = credential.locations.len();
            let first = credential.locations.first();
            let at = first.map_or_else(String::new, |l| {
                format!(" from {}{}", l.path, l.line.map_or_else(String::new, |line| format!(":{line}")))
            });
            let more = if places > 1 { format!(" and {} more", places - 1) } else { String::new() };
            let name = credential_name(credential);
            let alone = of_key.get(credential.key.as_str()) == Some(&1);
            let named = if alone { credential.key.clone() } else { credential.id.0.clone() };
            self.add(Candidate {
                key: format!("revoke:{named}"),
                kind: "remove-or-rotate",
                title: format!("Rotate {name} and take it out of reach"),
                detail: format!("Revoke it at {}, and remove it{at}{more}. If something needs its successor, keep that where no agent session reads.", credential.provider),
                effort: if places > 2 { 2 } else { 1 },
                layer: LayerName::Reach,
                artefact: artefact::revoke(world, credential),
                proves: Some("deadstop credentials".to_owned()),
                changes: vec![Change::Revoke(credential.id.clone())],
            });
        }
    }

    fn deny(&mut self) {
        let world = self.ground.world;
        let (denied, kept) = self.deniable();
        let known = self.actors.iter().filter_map(|id| world.principals.get(id));
        let none = |provider: &str| UNSCOPED.contains(&provider) || OF_FILES.contains(&provider);
        let known = known.filter(|principal| !none(&principal.provider));
        let principals: Vec<_> = known.cloned().collect();
        for principal in principals {
            let changes =
                vec![Change::Deny { principal: principal.id.clone(), denied: denied.clone(), kept: kept.clone() }];
            self.add(Candidate {
                key: format!("deny:{}", principal.id),
                kind: "deny-in-policy",
                title: format!("Take delete rights away from {}", principal.name),
                detail: format!("Deny it every action that deletes, overwrites or expires, that removes a copy, or that switches a protection off at {}. Before applying, check that no deploy step needs one of them.", principal.provider),
                effort: 2,
                layer: LayerName::Permit,
                artefact: artefact::deny(world, &principal.provider, &principal.name, &denied),
                proves: Some("deadstop run".to_owned()),
                changes,
            });
        }
    }

    /// Actions that destroy, lift or remove copies; and those that only lead on to other identities.
    fn deniable(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let world = self.ground.world;
        let mut denied: BTreeSet<String> =
            self.ground.deeds.values().flatten().map(|deed| deed.action.clone()).collect();
        let lifts = world.protections.iter().map(|p| &p.lifts).chain(world.copies.values().map(|c| &c.destroyed_by));
        for atom in lifts.filter_map(crate::fact::Fact::known).flatten().flat_map(|lift| &lift.needs) {
            if let Atom::Can { action, .. } = atom {
                denied.insert(action.clone());
            }
        }
        let steps = world.steps.iter().flat_map(|step| &step.needs);
        let ways = world.ways.values().flat_map(|way| &way.needs);
        let led = steps.chain(ways).filter_map(|atom| match atom {
            Atom::Can { action, .. } => Some(action.clone()),
            Atom::Credential(_)
            | Atom::Principal(_)
            | Atom::Way(_)
            | Atom::Lifted(_)
            | Atom::Right { .. }
            | Atom::Destroyed(_) => None,
        });
        let kept = led.filter(|action| !denied.contains(action)).collect();
        (denied, kept)
    }

    /// A managed gate for each agent at work, and an approval for each deputy that acts.
    fn ways(&mut self, open: &[&&Judged]) {
        let world = self.ground.world;
        let mut sessions: BTreeSet<SessionId> = BTreeSet::new();
        let mut deputies: BTreeSet<&Way> = BTreeSet::new();
        for from in open.iter().flat_map(|asset| &asset.from).filter(|from| from.counted) {
            let passes = |path: &&Path| path.worst.outcome.rated() < self.policy.target;
            for path in from.paths.shown.iter().filter(passes) {
                match &path.route {
                    Route::Own => {
                        sessions.insert(from.session.clone());
                    }
                    // An approval in a program is given by code of the same program.
                    Route::Deputy(way) => deputies.extend(world.ways.get(way).filter(|way| !self.in_program(way))),
                }
            }
        }
        let agents = sessions.iter().filter_map(|id| world.sessions.get(id)).filter(|s| s.agent != Agent::Plain);
        let agents: Vec<_> = agents.filter(|session| session.id.as_str() != "?").cloned().collect();
        for session in agents {
            let Some(policy) = binding_policy(session.agent) else { continue };
            // Two machines may have a session of the same key each.
            let alone = world.sessions.values().filter(|other| other.key == session.key).count() == 1;
            let named = if alone { session.key.clone() } else { session.id.0.clone() };
            let mut detail = "Set it where the user cannot change it, for the shell and for every MCP server alike: a rule on one command's text is passed by a script. It stands for this agent only; any other program of this user does not meet it.".to_owned();
            if session.agent == Agent::GeminiCli {
                detail.push_str(" It refuses tools of MCP servers: what it asks about runs unasked where the user trusts their server.");
            }
            self.add(Candidate {
                key: format!("gate:{named}"),
                kind: "gate-the-way",
                title: format!("Make {} ask a person before anything runs, by {policy}", session.name),
                detail,
                effort: 5,
                layer: LayerName::Confirm,
                artefact: artefact::gate(session.agent),
                proves: Some("deadstop run".to_owned()),
                changes: vec![Change::Gate(session.id.clone())],
            });
        }
        let deputies: Vec<Way> = deputies.into_iter().cloned().collect();
        for way in deputies {
            self.add(Candidate {
                key: format!("approve:{}", way.id),
                kind: "gate-the-way",
                title: format!("Require an approval in {} that nothing in reach can give", way.name),
                detail: "It acts on the session's word with rights that the session does not hold itself. Let a person approve each run, by an account whose credentials lie nowhere that an agent reads.".to_owned(),
                effort: 2,
                layer: LayerName::Confirm,
                artefact: None,
                proves: Some("deadstop run".to_owned()),
                changes: vec![Change::Approve(way.id.clone())],
            });
        }
    }

    /// Whether a way is a tool of an agent program.
    fn in_program(&self, way: &Way) -> bool {
        let session = way.session.as_ref().and_then(|id| self.ground.world.sessions.get(id));
        session.is_some_and(|session| session.agent == Agent::Program)
    }

    /// The provider's protection, together with a deny of switching it off: by itself it would only slow the call.
    fn protect(&mut self, asset: &NodeId) {
        let world = self.ground.world;
        let Some(held) = world.assets.get(asset) else { return };
        let deeds = self.ground.deeds.get(asset).into_iter().flatten().filter(|deed| deed.on == *asset);
        let guarded = deeds.filter_map(|deed| {
            let guard = deed.entry.and_then(|at| world.actions.get(at)).and_then(|action| action.guarded_by.clone());
            guard.map(|guard| (deed.action.clone(), guard))
        });
        let guarded: BTreeMap<String, String> = guarded.collect();
        let Some(kind) = guarded.values().next().cloned() else { return };
        let on_already = self.ground.protections_on.get(asset).into_iter().flatten();
        let on_already = on_already.clone().any(|p| p.enabled == crate::fact::Fact::Known(true) && p.kind == kind);
        let title = if on_already {
            format!("Deny switching off {kind} of {}", held.name)
        } else {
            format!("Turn on {kind} of {}, and deny switching it off", held.name)
        };
        self.add(Candidate {
            key: format!("protect:{asset}"),
            kind: "turn-on-protection",
            title,
            detail: format!(
                "The two only work together: while an identity in reach may switch {kind} off, it only slows the call."
            ),
            effort: 2,
            layer: LayerName::Protect,
            artefact: if on_already {
                artefact::deny(world, &held.provider, &held.name, &self.lifts(asset))
            } else {
                artefact::protect(&held.provider, &held.kind, &held.name)
            },
            proves: Some("deadstop run".to_owned()),
            changes: vec![Change::Protect { asset: asset.clone(), actions: guarded.into_keys().collect(), kind }],
        });
    }

    /// The operations that switch a protection of an asset off.
    fn lifts(&self, asset: &NodeId) -> BTreeSet<String> {
        let on = self.ground.protections_on.get(asset).into_iter().flatten();
        let needs = on.filter_map(|guard| guard.lifts.known()).flatten().flat_map(|lift| &lift.needs);
        let actions = needs.filter_map(|atom| match atom {
            Atom::Can { action, .. } => Some(action.clone()),
            Atom::Credential(_)
            | Atom::Principal(_)
            | Atom::Way(_)
            | Atom::Lifted(_)
            | Atom::Right { .. }
            | Atom::Destroyed(_) => None,
        });
        actions.collect()
    }

    fn copies(&mut self, judged: &Judged) {
        let world = self.ground.world;
        let Some(asset) = world.assets.get(&judged.asset) else { return };
        if asset.kind == crate::world::REST {
            return;
        }
        let rpo = self.policy.assets.get(asset.id.as_str()).and_then(|declared| declared.rpo);
        let every = rpo.unwrap_or(Span::days(1));
        let at = self.policy.assessed_at.unwrap_or(world.newest);
        if judged.worst.recovery == Recovery::None || judged.worst.outside {
            let notice = self.policy.time_to_notice.unwrap_or(NOTICE_ASSUMED);
            let copy = Change::CopyOut { asset: asset.id.clone(), lag: every };
            let drill = Change::Drill { asset: asset.id.clone(), copy: copy_out_id(&asset.id), at };
            self.add(Candidate {
                key: format!("copy-out:{}", asset.id),
                kind: "copy-the-backup-out",
                title: format!("Copy {} {} to where nothing in reach can delete it, and restore it once", asset.name, often(every)),
                detail: format!("An account or vault that no credential in reach can become, kept longer than the {} in which a loss is noticed, and encrypted with a key from there.", notice.human()),
                effort: 5,
                layer: LayerName::Survive,
                artefact: None,
                proves: Some("deadstop run".to_owned()),
                changes: vec![copy, drill],
            });
        } else if judged.worst.recovery == Recovery::Untested {
            let copies = self.ground.copies_of.get(&asset.id).into_iter().flatten();
            let copies: Vec<NodeId> = copies.map(|copy| copy.id.clone()).collect();
            let drill = |copy: NodeId| Change::Drill { asset: asset.id.clone(), copy, at };
            self.add(Candidate {
                key: format!("drill:{}", asset.id),
                kind: "run-a-restore-drill",
                title: format!("Restore {} from its copy once, and write down how long it took", asset.name),
                detail: "A copy that nobody has restored is a hope. Record the very copy, the day, the time taken and who did it in `restore_tests`.".to_owned(),
                effort: 2,
                layer: LayerName::Restore,
                artefact: None,
                proves: Some("deadstop run --config deadstop.yaml".to_owned()),
                changes: copies.into_iter().map(drill).collect(),
            });
        }
    }
}

/// The policy of an agent that its user cannot change and that can make it ask. Cursor's is none: what an administrator
/// has on the machine are hooks, and what a hook answers is not known. Codex's is none for every command: what
/// `requirements.toml` asks about has to begin with words that it names, and a rule of the user's lets the rest run. Nor is
/// OpenCode's: what an agent of the user's may do stands behind what an administrator says.
/// Sources: code.claude.com/docs/en/managed-settings, developers.openai.com/codex/rules, cursor.com/docs/agent/hooks,
/// google-gemini/gemini-cli `docs/reference/policy-engine.md`. Reviewed 2026-11-30.
const fn binding_policy(agent: Agent) -> Option<&'static str> {
    match agent {
        Agent::ClaudeCode => Some("a managed policy"),
        Agent::GeminiCli => Some("a policy of an administrator in `/etc/gemini-cli/policies`"),
        Agent::Plain
        | Agent::Codex
        | Agent::Cursor
        | Agent::OpenCode
        | Agent::CopilotCli
        | Agent::VsCode
        | Agent::Cline
        | Agent::RooCode
        | Agent::Crush
        | Agent::QwenCode
        | Agent::AmazonQ
        | Agent::Continue
        | Agent::Goose
        | Agent::Zed
        | Agent::Aider
        | Agent::Kiro
        | Agent::FactoryDroid
        | Agent::Amp
        | Agent::Windsurf
        | Agent::Warp
        | Agent::Junie
        | Agent::Ci
        | Agent::Program
        | Agent::Other => None,
    }
}

/// How often a copy is taken, in words.
fn often(every: Span) -> String {
    match every.0 {
        86_400 => "every day".to_owned(),
        3_600 => "every hour".to_owned(),
        _ => format!("every {}", every.human()),
    }
}

fn credential_name(credential: &Credential) -> String {
    let named = credential.locations.iter().find_map(|location| location.key.clone());
    let kind = credential.kind.replace('_', " ");
    match (&credential.public_id, named) {
        (Some(id), _) => format!("the {} {kind} {id}", credential.provider),
        (None, Some(name)) => format!("the {} {kind} {name}", credential.provider),
        (None, None) => format!("the {} {kind}", credential.provider),
    }
}

/// Whether anything at all is known of a world's sessions, for who asks before planning.
#[must_use]
pub(super) fn plannable(world: &World) -> bool {
    world.any_session
}
