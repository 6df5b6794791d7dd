//! One way in which a session may start: which settings hold, and what they come to (floor 2).

use std::rc::Rc;

use super::layer::{Item, Layer, Rank, Value};
use crate::gate::{Ground, Level, Note, Place};

/// When a person is asked (openai/codex `codex-rs/protocol/src/protocol.rs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Approval {
    /// Before everything but commands that are known to only read.
    Untrusted,
    /// Where the model asks to leave the sandbox. `on-failure` of earlier versions asks where the sandbox refused.
    OnRequest,
    /// The same, with some prompts turned into refusals.
    Granular { sandbox: bool, rules: bool, mcp: bool },
    /// Never.
    Never,
    /// A word that is not known.
    Unknown,
}

impl Approval {
    /// What a setting says.
    pub(super) fn read(item: &Item) -> Self {
        match item.text() {
            Some("untrusted") => Self::Untrusted,
            Some("on-request" | "on-failure") => Self::OnRequest,
            Some("never") => Self::Never,
            Some(_) => Self::Unknown,
            None => Self::granular(item).unwrap_or(Self::Unknown),
        }
    }

    fn granular(item: &Item) -> Option<Self> {
        let flag = |name| item.get(&["granular", name])?.flag();
        Some(Self::Granular {
            sandbox: flag("sandbox_approval")?,
            rules: flag("rules")?,
            mcp: flag("mcp_elicitations")?,
        })
    }

    /// As it is written.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Untrusted => "untrusted",
            Self::OnRequest => "on-request",
            Self::Granular { .. } => "granular",
            Self::Never => "never",
            Self::Unknown => "which is not understood",
        }
    }

    /// Whether a person may be asked to let a command out of the sandbox.
    pub(super) const fn asks_to_leave(self) -> bool {
        match self {
            Self::Never => false,
            Self::Granular { sandbox, .. } => sandbox,
            Self::Untrusted | Self::OnRequest | Self::Unknown => true,
        }
    }
}

/// What stands around commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing.
    Open,
    /// A sandbox.
    Boxed,
    /// Settings that are not understood.
    Unknown,
}

/// The sandbox of the operating system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sandbox {
    pub(super) kind: Kind,
    /// Whether it lets commands into the network, if known.
    pub(super) network: Option<bool>,
    /// Folders that may be written in it; none if that is not known.
    pub(super) writable: Option<Vec<String>>,
    /// Files that it hides, by their absolute path.
    pub(super) hidden: Vec<(String, Place, Level)>,
    /// As it is shown.
    pub(super) shown: String,
}

/// A word of a file, and whose it is.
pub(super) type Stands = Option<(Place, Level)>;

/// One way in which a session may start.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// What is different about it, in words.
    pub(super) named: &'static str,
    pub(super) approval: Approval,
    pub(super) approval_at: Stands,
    pub(super) sandbox: Sandbox,
    pub(super) sandbox_at: Stands,
    /// Whether a model answers prompts in a person's stead, if known.
    pub(super) reviewed: Option<bool>,
    /// Whether the project's settings, rules and hooks count.
    pub(super) project: bool,
    /// The files that hold, the strongest first.
    pub(super) layers: Vec<Rc<Layer>>,
    /// Whether an administrator keeps it from the network, however it is started.
    pub(super) shut: bool,
    /// Whether only servers that an administrator lists are used.
    pub(super) servers_listed: bool,
}

impl Start {
    /// The word that the strongest file has.
    pub(super) fn get(&self, path: &[&str]) -> Option<(&Layer, &Item)> {
        find(&self.layers, path)
    }
}

fn find<'l>(layers: &'l [Rc<Layer>], path: &[&str]) -> Option<(&'l Layer, &'l Item)> {
    layers.iter().find_map(|layer| layer.root.get(path).map(|item| (layer.as_ref(), item)))
}

/// Whether a folder is trusted, which counts for the project's files and for what nothing sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    Trusted,
    Untrusted,
    /// Nobody has said.
    Unset,
}

/// In how many ways the folder may be trusted. Trust may lie with the top of the repository, which is not known here,
/// and whoever starts a session in a folder that is new is asked for it.
pub(super) fn trusts(layers: &[Rc<Layer>], ground: &Ground) -> Vec<Trust> {
    let own: Vec<Rc<Layer>> = layers.iter().filter(|layer| layer.rank != Rank::Project).cloned().collect();
    let said = |folder: &str| find(&own, &["projects", folder, "trust_level"]).and_then(|(_, item)| item.text());
    match said(&ground.root) {
        Some("trusted") => return vec![Trust::Trusted],
        Some("untrusted") => return vec![Trust::Untrusted],
        Some(_) | None => {}
    }
    let mut found = vec![Trust::Unset, Trust::Trusted];
    let mut above = ground.root.as_str();
    while let Some((parent, _)) = above.rsplit_once('/').filter(|(parent, _)| !parent.is_empty()) {
        if said(parent) == Some("untrusted") {
            found.push(Trust::Untrusted);
            break;
        }
        above = parent;
    }
    found
}

/// What an administrator requires of every session (developers.openai.com/codex/enterprise/managed-configuration).
#[derive(Clone, Debug, Default)]
pub(super) struct Required {
    pub(super) approvals: Option<(Vec<Approval>, Place, Level)>,
    pub(super) sandboxes: Option<(Vec<String>, Place, Level)>,
    pub(super) reviewers: Option<Vec<String>>,
    /// Whether it chooses permission profiles, which then stand over the older settings.
    pub(super) profiles: bool,
    /// Whether it has a network of its own.
    pub(super) network: bool,
    pub(super) servers: bool,
    pub(super) hidden: Vec<(String, Place, Level)>,
}

/// The ways in which a session may start with these files. More than one where a required value takes the place of
/// another, as which one does is not documented for every version.
pub(super) fn starts(
    (named, trust): (&'static str, Trust),
    layers: Vec<Rc<Layer>>,
    required: &Required,
    ground: &Ground,
) -> Vec<Start> {
    let stands = |found: Option<(&Layer, &Item)>| found.map(|(layer, item)| (layer.place(item), layer.level));
    let approval = find(&layers, &["approval_policy"]);
    let mut approvals = vec![match (approval, trust) {
        (Some((_, item)), _) => (Approval::read(item), stands(approval)),
        (None, Trust::Untrusted) => (Approval::Untrusted, trusted_at(&layers, ground)),
        (None, Trust::Trusted | Trust::Unset) => (Approval::OnRequest, None),
    }];
    if let Some((allowed, place, level)) = &required.approvals {
        let fits = approvals.iter().all(|(one, _)| allowed.contains(one) || *one == Approval::Unknown);
        if !fits {
            approvals = allowed.iter().map(|approval| (*approval, Some((place.clone(), *level)))).collect();
        }
    }
    let mut boxes = vec![sandbox(&layers, trust, required, ground)];
    if let Some((allowed, place, level)) = &required.sandboxes {
        // Which mode a profile counts as is not worked out.
        let known = |sandbox: &Sandbox| sandbox.kind != Kind::Unknown && sandbox.writable.is_some();
        let fits = |(sandbox, _): &(Sandbox, Stands)| allowed.contains(&sandbox.shown) || !known(sandbox);
        if !boxes.iter().all(fits) {
            let at = Some((place.clone(), *level));
            boxes = allowed.iter().map(|mode| (by_mode(mode, &layers, required, ground), at.clone())).collect();
        }
    }
    let reviewed = reviewed(&layers, required);
    let made = approvals.iter().flat_map(|(approval, approval_at)| {
        boxes.iter().map(|(sandbox, sandbox_at)| Start {
            named,
            approval: *approval,
            approval_at: approval_at.clone(),
            sandbox: sandbox.clone(),
            sandbox_at: sandbox_at.clone(),
            reviewed,
            project: trust == Trust::Trusted,
            layers: layers.clone(),
            shut: shut(required),
            servers_listed: required.servers,
        })
    });
    made.collect()
}

/// Whether the only mode that is required is the one without a network. Another may be given one by whoever starts it.
fn shut(required: &Required) -> bool {
    let only = |(modes, _, level): &(Vec<String>, Place, Level)| {
        *level == Level::Managed && modes.iter().all(|mode| mode == "read-only")
    };
    !required.network && !required.profiles && required.sandboxes.as_ref().is_some_and(only)
}

fn trusted_at(layers: &[Rc<Layer>], ground: &Ground) -> Stands {
    let found = find(layers, &["projects", &ground.root, "trust_level"]);
    found.map(|(layer, item)| (layer.place(item), layer.level))
}

/// Who answers prompts. `guardian_subagent` is what `auto_review` was called.
fn reviewed(layers: &[Rc<Layer>], required: &Required) -> Option<bool> {
    let word = find(layers, &["approvals_reviewer"]).map_or(Some("user"), |(_, item)| item.text());
    let word = match &required.reviewers {
        Some(allowed) if word.is_none_or(|word| !allowed.iter().any(|one| one == word)) => {
            allowed.first().map(String::as_str)
        }
        Some(_) | None => word,
    };
    match word {
        Some("user") => Some(false),
        Some("auto_review" | "guardian_subagent") => Some(true),
        Some(_) | None => None,
    }
}

/// What stands around commands. Any `sandbox_mode` takes the place of permission profiles
/// (developers.openai.com/codex/permissions).
fn sandbox(layers: &[Rc<Layer>], trust: Trust, required: &Required, ground: &Ground) -> (Sandbox, Stands) {
    let stands = |layer: &Layer, item: &Item| Some((layer.place(item), layer.level));
    let mode = find(layers, &["sandbox_mode"]);
    if required.profiles {
        return (unknown("a permission profile that an administrator chooses"), None);
    }
    if let Some((layer, item)) = mode {
        let mode = item.text().unwrap_or("which is not understood");
        return (by_mode(mode, layers, required, ground), stands(layer, item));
    }
    if let Some((layer, item)) = find(layers, &["default_permissions"]) {
        return (profile(item, layers, required, ground), stands(layer, item));
    }
    let mode = if trust == Trust::Unset { "read-only" } else { "workspace-write" };
    let at = if trust == Trust::Unset { None } else { trusted_at(layers, ground) };
    (by_mode(mode, layers, required, ground), at)
}

fn unknown(shown: &str) -> Sandbox {
    let shown = shown.to_owned();
    Sandbox { kind: Kind::Unknown, network: None, writable: None, hidden: Vec::new(), shown }
}

/// Whether the network is filtered by a proxy, which may let through what it is told to.
fn proxied(layers: &[Rc<Layer>], required: &Required) -> bool {
    let off =
        |item: &Item| item.flag() == Some(false) || item.get(&["enabled"]).is_some_and(|on| on.flag() == Some(false));
    required.network || find(layers, &["features", "network_proxy"]).is_some_and(|(_, item)| !off(item))
}

fn by_mode(mode: &str, layers: &[Rc<Layer>], required: &Required, ground: &Ground) -> Sandbox {
    let shut = if proxied(layers, required) { None } else { Some(false) };
    let (kind, network, writable) = match mode {
        "danger-full-access" | ":danger-full-access" => (Kind::Open, Some(true), Some(vec!["/".to_owned()])),
        "read-only" | ":read-only" => (Kind::Boxed, shut, Some(Vec::new())),
        "workspace-write" | ":workspace" => {
            let setting = |name| find(layers, &["sandbox_workspace_write", name]).map(|(_, item)| item);
            let network = match setting("network_access").map(Item::flag) {
                None | Some(Some(false)) if mode == "workspace-write" => shut,
                Some(Some(true)) if mode == "workspace-write" && shut.is_some() => Some(true),
                _ if mode == ":workspace" => shut,
                _ => None,
            };
            let more = setting("writable_roots").map(Item::texts);
            let roots = match more {
                None => Some(Vec::new()),
                Some(roots) => roots,
            };
            let writable = roots.map(|roots| {
                let all = roots.into_iter().chain([ground.root.as_str(), "/tmp"]);
                all.map(|root| ground.absolute(root)).collect()
            });
            (Kind::Boxed, network, writable)
        }
        _ => return unknown("`sandbox_mode`, which is not understood"),
    };
    let hidden = if kind == Kind::Boxed { required.hidden.clone() } else { Vec::new() };
    Sandbox { kind, network, writable, hidden, shown: mode.trim_start_matches(':').to_owned() }
}

/// A permission profile (openai/codex `codex-rs/config/src/permissions_toml.rs`).
fn profile(item: &Item, layers: &[Rc<Layer>], required: &Required, ground: &Ground) -> Sandbox {
    let Some(name) = item.text() else { return unknown("`default_permissions`, which is not understood") };
    if name.starts_with(':') {
        return by_mode(name, layers, required, ground);
    }
    let mut found = layers.iter().filter_map(|layer| layer.root.get(&["permissions", name]).map(|item| (layer, item)));
    // Profiles of one name in several files are joined, which is not done here.
    let (Some((layer, profile)), None) = (found.next(), found.next()) else {
        return unknown("a permission profile that is not in one file");
    };
    let plain = profile.table().is_some_and(|table| table.keys().all(|key| key == "filesystem" || key == "network"));
    let network = match profile.get(&["network", "enabled"]).map(Item::flag) {
        _ if !plain => None,
        None | Some(Some(false)) => (!proxied(layers, required)).then_some(false),
        Some(Some(true)) if profile.get(&["network", "domains"]).is_none() && !proxied(layers, required) => Some(true),
        Some(Some(true) | None) => None,
    };
    let mut hidden = required.hidden.clone();
    if plain {
        hidden.extend(denied(layer, profile, ground));
    }
    Sandbox {
        kind: Kind::Boxed,
        network,
        writable: None,
        hidden,
        shown: format!("permission profile `{}`", plainly(name)),
    }
}

/// Files that a profile denies by their path. Where a pattern is one, it is not counted on: it has been found not to
/// hold (github.com/openai/codex/issues/22179).
fn denied(layer: &Layer, profile: &Item, ground: &Ground) -> Vec<(String, Place, Level)> {
    let mut found = Vec::new();
    let mut deny = |base: Option<&str>, path: &str, item: &Item| {
        let denies = matches!(item.text(), Some("deny" | "none"));
        if !denies || path.contains(['*', '?', '[', ':']) {
            return;
        }
        let full = match base {
            Some(base) => format!("{base}/{path}"),
            None if path.starts_with(['/', '~']) => path.to_owned(),
            None => return,
        };
        found.push((ground.absolute(&full), layer.place(item), layer.level));
    };
    for (path, item) in profile.get(&["filesystem"]).and_then(Item::table).into_iter().flatten() {
        match &item.value {
            Value::Table(scoped) if matches!(path.as_str(), ":workspace_roots" | ":project_roots") => {
                scoped.iter().for_each(|(sub, item)| deny(Some(&ground.root), sub, item));
            }
            Value::Text(_) => deny(None, path, item),
            Value::Table(_) | Value::Flag(_) | Value::Number(_) | Value::List(_) | Value::Other => {}
        }
    }
    found
}

/// A name as it is shown: one that may hold something else is not.
pub(super) fn plainly(name: &str) -> String {
    let plain = name.len() <= 40 && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if plain { name.to_owned() } else { "…".to_owned() }
}

/// Settings that do not do what they seem to.
pub(super) fn notes(layers: &[Rc<Layer>]) -> Vec<Note> {
    let mut notes = Vec::new();
    let profile = find(layers, &["default_permissions"]);
    if let (Some((by, mode)), Some((layer, item))) = (find(layers, &["sandbox_mode"]), profile) {
        let text = format!(
            "`sandbox_mode` is set ({}), so permission profiles and what they deny have no effect",
            by.place(mode)
        );
        notes.push(Note { place: layer.place(item), text });
    }
    notes
}
