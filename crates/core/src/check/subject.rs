//! The one table of what a check may say of its subject (floor 2): it feeds the facts that a condition sees, the lint
//! of conditions, the cases, `docs/checks.md` and `deadstop schema check`.
//!
//! A fact that is not known is left out of what a condition sees, never written as empty. What was read and is not
//! there is written: an empty text or list, `none`.

use serde_json::{Map, Value, json};

use Kind::{Bool, Int, Record, Records, Text, Texts, Word};

/// What kind of thing a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Something that can be lost.
    Asset,
    /// Something a provider accepts.
    Credential,
    /// An actor.
    Session,
    /// An identity.
    Principal,
    /// Production, staging, …
    Environment,
    /// A copy of an asset.
    RecoveryPoint,
    /// One way from a session to the loss of an asset.
    Path,
}

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// Any text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of texts, known in full or not at all.
    Texts,
    /// Fields below this one.
    Record(&'static [Field]),
    /// A list of records, known in full or not at all.
    Records(&'static [Field]),
}

/// One thing that a check may say of its subject.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What it says, in a sentence without its full stop.
    pub says: &'static str,
}

const fn field(name: &'static str, kind: Kind, says: &'static str) -> Field {
    Field { name, kind, says }
}

const STATES: Kind = Word(&["open", "slows", "stops"]);
const RANKS: Kind = Word(&[
    "nothing",
    "slowed-no-recovery",
    "recoverable-untested",
    "recoverable-tested",
    "slowed-untested",
    "slowed-tested",
    "stopped",
]);
const ANSWERS: Kind = Word(&["nothing", "recoverable", "slowed", "stopped"]);
const PREVENTIONS: Kind = Word(&["open", "slowed", "stopped"]);
const RECOVERIES: Kind = Word(&["none", "untested", "tested"]);
const CLASSES: Kind = Word(&[
    "database",
    "volume",
    "bucket",
    "store",
    "index",
    "cluster",
    "repository",
    "key",
    "backup",
    "vault",
    "state",
    "container",
]);
const CRITICALITIES: Kind = Word(&["none", "low", "medium", "high", "critical"]);
const COPY_KINDS: Kind = Word(&["snapshot", "automated_backup", "pitr", "versions", "dump", "grace_period"]);
const AGENTS: Kind = Word(&[
    "plain",
    "claude-code",
    "codex",
    "cursor",
    "gemini-cli",
    "opencode",
    "copilot-cli",
    "vscode",
    "cline",
    "roo-code",
    "crush",
    "qwen-code",
    "amazon-q",
    "continue-cli",
    "goose",
    "zed",
    "aider",
    "kiro",
    "factory-droid",
    "amp",
    "windsurf",
    "warp",
    "junie",
    "ci",
    "program",
    "other",
]);
const DECISIONS: Kind = Word(&["deny", "ask", "reviewed", "allow"]);
const WAYS: Kind =
    Word(&["program", "shell", "cli", "iac", "file_read", "file_write", "fetch", "mcp", "pipeline", "sql"]);

const LAYERS: Kind = Record(&[
    field("reach", STATES, "layer 1"),
    field("confirm", STATES, "layer 2"),
    field("permit", STATES, "layer 3"),
    field("protect", STATES, "layer 4"),
    field("survive", STATES, "layer 5"),
    field("restore", STATES, "layer 6"),
]);

const BOUNDS: Kind =
    Record(&[field("worst", RANKS, "the worst it may be"), field("best", RANKS, "the best it may be")]);

const ASSET: &[Field] = &[
    field("key", Text, "the provider's own id"),
    field("name", Text, "what it is called"),
    field("provider", Text, "the provider"),
    field("kind", Text, "the provider's kind of resource"),
    field("class", CLASSES, "what it is, across providers"),
    field("environment", Text, "the environment it belongs to"),
    field("in_headline", Bool, "whether the headline counts it: production, or not known to be anything else"),
    field("holds", Text, "what is in it, in words; empty if nobody said"),
    field("answer", ANSWERS, "what would happen if the delete were called; left out where it is not known"),
    field("bounds", BOUNDS, "the worst and the best that the answer may be"),
    field("prevention", PREVENTIONS, "what stands before the delete"),
    field("recovery_answer", RECOVERIES, "what stands after it; left out where it is stopped"),
    field("outside_rpo_rto", Bool, "whether what comes back lies outside the declared RPO or RTO"),
    field("layers", LAYERS, "the weakest state of each layer, over every call that gets past reach and permit"),
    field("criticality", CRITICALITIES, "what deadstop.yaml declares; none if it does not"),
    field("has_owner", Bool, "whether deadstop.yaml names an owner"),
    field("has_rpo", Bool, "whether deadstop.yaml declares how much data may be lost"),
    field("has_rto", Bool, "whether deadstop.yaml declares how long it may be gone"),
    field("rpo_hours", Int, "the declared RPO, rounded down; left out where there is none"),
    field("rto_hours", Int, "the declared RTO, rounded down; left out where there is none"),
    field("protections", Records(PROTECTION), "what refuses to let it go"),
    field("recovery", Record(RECOVERY), "its copies, and the restores that were tried"),
];

const PROTECTION: &[Field] = &[
    field("kind", Text, "what it is, in the provider's words"),
    field("side", Word(&["confirm", "protect"]), "its layer"),
    field("enabled", Bool, "whether it is on"),
    field("whole", Bool, "whether it holds for all of the data"),
    field("locked", Bool, "whether nothing lifts it"),
    field("client_only", Bool, "whether only some clients know of it, and the provider does not"),
];

const RECOVERY: &[Field] = &[
    field("pitr", Record(PITR), "point-in-time recovery"),
    field("copies", Int, "how many copies there are"),
    field("independent", Int, "how many copies no delete of the asset takes along"),
    field("tested", Int, "how many copies were restored within the allowed age"),
    field("drilled", Bool, "whether a restore of one of its copies that worked is recorded, however old"),
];

const PITR: &[Field] = &[field("enabled", Bool, "whether the data can be brought back to any moment within a window")];

const CREDENTIAL: &[Field] = &[
    field("key", Text, "what it is called by from run to run"),
    field("provider", Text, "the provider that accepts it"),
    field("kind", Text, "the provider's kind of credential"),
    field("status", Word(&["live", "revoked"]), "what the provider says of it"),
    field("identity", Text, "who it authenticates as; empty if the provider knows nobody by it"),
    field("environment", Text, "the environment that its place or its provider names"),
    field("in_reach", Bool, "whether a session can get hold of it, with or without a change first"),
    field("reached_freely", Bool, "whether a session gets hold of it without changing anything"),
    field("opens_others", Bool, "whether it is a login of which the password is that of another one, too"),
    field(
        "named_elsewhere",
        Bool,
        "whether it is a login of which the name is that of one at a server of another environment",
    ),
    field("places", Int, "how many places it was found in"),
    field("place_kinds", Texts, "the kinds of these places: file, environment, process, …"),
    field(
        "destroys",
        Bool,
        "whether its identity has the right to destroy something, whatever else stands before that",
    ),
    field("destroys_production", Bool, "whether that is something that the headline counts"),
    field("crosses_environments", Bool, "whether its identity has the right to destroy in two environments"),
    field("assets", Int, "how many assets its identity has the right to destroy"),
    field("environments", Texts, "the environments of these"),
];

const SESSION: &[Field] = &[
    field("key", Text, "the agent and the configured name"),
    field("name", Text, "what it is called"),
    field("agent", AGENTS, "which agent it is"),
    field("counted", Bool, "whether the headline counts it"),
    field("reach_read", Bool, "whether everything that it can read was read"),
    field("has_environment", Bool, "whether it is declared which environment it is meant to touch"),
    field("environment", Text, "that environment; empty if none is declared"),
    field("credentials", Int, "how many credentials it can get hold of"),
    field("destroys_production", Bool, "whether it can have something destroyed that the headline counts"),
    field(
        "destroys_outside",
        Bool,
        "whether it can have something destroyed outside the environment it is meant to touch",
    ),
    field("has_intended", Bool, "whether it is declared which resources it is meant to touch"),
    field("destroys_unintended", Bool, "whether it can have something destroyed that is none of these"),
    field("production_assets", Int, "how many assets of the headline it can have destroyed"),
    field(
        "calls_run",
        Bool,
        "whether a call of the built-in corpus of those that destroy runs with nobody asked and no sandbox around it",
    ),
    field(
        "tool_runs_unasked",
        Bool,
        "whether a tool of this agent program that reaches an operation which destroys has nothing before it that asks",
    ),
    field("ways", Records(WAY), "how it may issue calls"),
    field(
        "rules",
        Records(RULE),
        "the rules and hooks of its gate that decide on the built-in corpus of destructive calls",
    ),
    field("open_rules", Texts, "rules that let a call of the corpus run, each with its place and that call"),
    field(
        "evaded_rules",
        Texts,
        "rules that refuse or ask, each with its place and a call in other words that is freer",
    ),
    field("failing_hooks", Texts, "hooks that let a call through where they fail, by their places"),
];

const RULE: &[Field] = &[
    field("kind", Word(&["allow", "refuse", "hook"]), "whether it lets calls run, refuses them or asks, or is a hook"),
    field("rule", Text, "the rule as written, without what may be a secret"),
    field("place", Text, "its file and line; empty if that is not told"),
    field(
        "weak",
        Bool,
        "whether it lets a call of the corpus run (allow), is gone around by the same call in other words (refuse), lets calls \
         through where it fails (hook)",
    ),
    field("calls", Int, "on how many calls of the corpus it decides"),
];

const WAY: &[Field] = &[
    field("name", Text, "the tool"),
    field("kind", WAYS, "its kind"),
    field("decision", DECISIONS, "what the gate does with a call"),
    field("contained", Bool, "whether a sandbox keeps it from the network"),
    field("managed", Bool, "whether someone other than the user sets the gate"),
    field("overridable", Bool, "whether a change that the session may make gets past the gate"),
    field("escapable", Bool, "whether a change that the session may make leads out of the sandbox"),
    field("calls_out", Bool, "whether it can carry a call to a provider"),
];

const PRINCIPAL: &[Field] = &[
    field("id", Text, "the provider's own id for it"),
    field("name", Text, "what it is called"),
    field("provider", Text, "the provider"),
    field("environment", Text, "the environment it belongs to"),
    field("in_reach", Bool, "whether a session can come to act as it"),
    field("destroys", Bool, "whether it has the right to destroy something, whatever else stands before that"),
    field("destroys_production", Bool, "whether that is something that the headline counts"),
    field("crosses_environments", Bool, "whether it has the right to destroy in two environments"),
    field("assets", Int, "how many assets it has the right to destroy"),
    field("environments", Texts, "the environments of these"),
    field("escalates", Bool, "whether it alone can become another identity, gain a right or lift a protection"),
    field("unrestricted", Bool, "whether a right of it is for every action, or for everything at the provider"),
];

const ENVIRONMENT: &[Field] = &[
    field("name", Text, "its name"),
    field("production", Bool, "whether it is production"),
    field("assets", Int, "how many assets are in it"),
    field("open", Bool, "whether nothing stops the delete of one of these"),
    field("shares_credentials", Bool, "whether a credential has the right to destroy in it and in another one"),
    field("entered_from_elsewhere", Bool, "whether a session that is meant for another environment can destroy in it"),
    field("tabletop_recorded", Bool, "whether a tabletop exercise is recorded"),
];

const RECOVERY_POINT: &[Field] = &[
    field("key", Text, "the provider's own id"),
    field("name", Text, "what it is called"),
    field("kind", COPY_KINDS, "its kind"),
    field("asset", Text, "the name of what it is a copy of"),
    field("asset_in_headline", Bool, "whether the headline counts that"),
    field("goes_along", Bool, "whether a delete of the asset may take it along"),
    field("destroyable", Bool, "whether a session can have it destroyed by itself"),
    field("placed_apart", Bool, "whether it lies in a place of its own"),
    field("has_end", Bool, "whether it ends by itself"),
    field("kept_hours", Int, "how long it is still kept; left out where it has no end"),
    field("outlasts_notice", Bool, "whether it is still there once the loss is noticed"),
    field("lag_hours", Int, "how much data it may lack, rounded up"),
    field("has_rpo", Bool, "whether an RPO is declared for its asset"),
    field("within_rpo", Bool, "whether it lacks no more than that"),
    field("tested", Bool, "whether a restore of it that worked is recorded, however old"),
    field("tested_in_time", Bool, "whether one is recorded within the allowed age"),
    field("tested_days_ago", Int, "how long ago the last one was; left out where there is none"),
    field("has_rto", Bool, "whether an RTO is declared for its asset"),
    field("restored_within_rto", Bool, "whether the last restore that worked took no longer than that"),
];

const PATH: &[Field] = &[
    field("key", Text, "a hash of session, identity, action and asset"),
    field("session", Text, "the session's name"),
    field("identity", Text, "the last identity; empty if there is none"),
    field("action", Text, "the provider's operation"),
    field("way", Text, "the way by which the call is issued; empty if none was told"),
    field("asset", Text, "the asset's name"),
    field("asset_in_headline", Bool, "whether the headline counts it"),
    field("called_above", Bool, "whether the call is made on something that the asset lies in"),
    field("seconds", Int, "how long the call takes; left out where no source says"),
    field("bounds", BOUNDS, "the worst and the best that its answer may be"),
    field("prevention", PREVENTIONS, "what stands before the delete"),
    field("layers", LAYERS, "the state of each layer"),
    field("stopping_layers", Int, "how many of the first four layers stop it"),
    field("rests_on_agent", Bool, "whether what stands before it is the agent's own gate or sandbox alone"),
];

impl Subject {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Asset,
        Self::Credential,
        Self::Session,
        Self::Principal,
        Self::Environment,
        Self::RecoveryPoint,
        Self::Path,
    ];

    /// The word used in a check, and before every field in its conditions.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Credential => "credential",
            Self::Session => "session",
            Self::Principal => "principal",
            Self::Environment => "environment",
            Self::RecoveryPoint => "recovery_point",
            Self::Path => "path",
        }
    }

    /// What may be said of it.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Asset => ASSET,
            Self::Credential => CREDENTIAL,
            Self::Session => SESSION,
            Self::Principal => PRINCIPAL,
            Self::Environment => ENVIRONMENT,
            Self::RecoveryPoint => RECOVERY_POINT,
            Self::Path => PATH,
        }
    }

    /// The subject of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subject| subject.word() == word)
    }
}

/// The type of a field by its path below the subject, with list elements passed through: `ways.decision`.
#[must_use]
pub fn kind_at(fields: &'static [Field], path: &str) -> Option<Kind> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let found = fields.iter().find(|field| field.name == first)?;
    match (rest, found.kind) {
        (None, kind) => Some(kind),
        (Some(rest), Record(inner) | Records(inner)) => kind_at(inner, rest),
        (Some(_), Bool | Int | Text | Word(_) | Texts) => None,
    }
}

/// The JSON Schema of a subject as a case writes it. Nothing is required: what is left out is not known.
#[must_use]
pub fn schema(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields.iter().map(|field| (field.name.to_owned(), described(field))).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn described(field: &Field) -> Value {
    let mut value = match field.kind {
        Bool => json!({ "type": "boolean" }),
        Int => json!({ "type": "integer" }),
        Text => json!({ "type": "string", "minLength": 0 }),
        Word(words) => json!({ "type": "string", "enum": words }),
        Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Record(inner) => schema(inner),
        Records(inner) => json!({ "type": "array", "items": schema(inner) }),
    };
    if let Value::Object(map) = &mut value {
        map.insert("description".to_owned(), field.says.into());
    }
    value
}
