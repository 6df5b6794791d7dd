//! Which texts are names, and what stands in their place.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use std::collections::{BTreeMap, BTreeSet};

use super::Level;
use crate::assessment::{Assessment, AssetAnswer, CredentialRow, LocationRow, SessionRow};
use crate::quote;

/// What a name is of; the word that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Account,
    Asset,
    Client,
    Copy,
    Environment,
    Fix,
    Host,
    Id,
    Name,
    Path,
    Person,
    Place,
    Resource,
    Session,
    Setting,
    Tool,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Asset => "asset",
            Self::Client => "client",
            Self::Copy => "copy",
            Self::Environment => "environment",
            Self::Fix => "fix",
            Self::Host => "host",
            Self::Id => "id",
            Self::Name => "name",
            Self::Path => "path",
            Self::Person => "person",
            Self::Place => "place",
            Self::Resource => "resource",
            Self::Session => "session",
            Self::Setting => "setting",
            Self::Tool => "tool",
        }
    }
}

/// Parts of ids and paths that say nothing of whose they are.
const COMMON: [&str; 105] = [
    "access",
    "account",
    "accounts",
    "action",
    "api",
    "app",
    "arn",
    "asset",
    "aws",
    "azure",
    "backup",
    "bin",
    "branch",
    "bucket",
    "cache",
    "claude",
    "cli",
    "cloud",
    "cluster",
    "code",
    "codex",
    "com",
    "conf",
    "config",
    "connection",
    "copy",
    "credential",
    "credentials",
    "cursor",
    "data",
    "database",
    "default",
    "dev",
    "development",
    "docker",
    "env",
    "environment",
    "environments",
    "etc",
    "file",
    "files",
    "gcloud",
    "gcp",
    "git",
    "github",
    "global",
    "group",
    "home",
    "host",
    "hosts",
    "http",
    "https",
    "iam",
    "instance",
    "internal",
    "json",
    "key",
    "keys",
    "kube",
    "kubernetes",
    "local",
    "login",
    "main",
    "management",
    "mcp",
    "name",
    "net",
    "none",
    "org",
    "password",
    "path",
    "permissions",
    "postgres",
    "prod",
    "production",
    "profile",
    "project",
    "projects",
    "railway",
    "region",
    "resource",
    "role",
    "root",
    "roles",
    "rules",
    "secret",
    "server",
    "service",
    "session",
    "settings",
    "shell",
    "src",
    "srv",
    "staging",
    "test",
    "the",
    "tmp",
    "token",
    "url",
    "user",
    "users",
    "volume",
    "workflows",
    "yaml",
    "yml",
];

/// Environments that everyone has.
const ENVIRONMENTS: [&str; 9] =
    ["production", "prod", "staging", "stage", "development", "dev", "test", "testing", "unknown"];

/// How the last part of a host's name ends, beside two letters.
const ENDINGS: [&str; 20] = [
    "ai", "app", "biz", "cloud", "com", "corp", "dev", "edu", "example", "gov", "home", "info", "internal", "invalid",
    "lan", "local", "net", "org", "systems", "test",
];

/// Endings of two letters that are those of files.
const FILES: [&str; 12] = ["cs", "go", "js", "jl", "md", "pl", "py", "rb", "rs", "sh", "tf", "ts"];

/// Words in a sentence that a name comes after.
const BEFORE: [&str; 12] = [
    "policy",
    "role",
    "user",
    "group",
    "profile",
    "server",
    "repository",
    "workspace",
    "project",
    "database",
    "bucket",
    "host",
];

/// Words with which a sentence goes on after one of them; any other one is a name.
const GOES_ON: &str = "a access acts after all allows alone an and are as asked asks at audit base be been before began belongs \
    beside between but by can cannot certificate could counts create decides delete does down drop each else \
    ends engine every everything execute follow for from gets gives grants had has have here holds id if in \
    info inside instead into is it itself keeps kept key knows lets lie lies like list locks made manages \
    may meets might must name named names needs never no none nor not nothing of off on once only or other \
    others outside over owns policy reads refuses released role rules runs s said says sees session sets shown \
    shows so spends stands starts statement states stays still takes tells than that the their them then \
    there these they this those through to token told turned turns under unless until up upon uses was were \
    what when where which while who whoever whom whose will with within without works would";

/// A name of so many bytes is looked for inside words as well.
const LONG: usize = 6;

/// Every name of an assessment with what stands for it.
pub(super) struct Names {
    level: Level,
    words: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, usize>,
    known: Option<AhoCorasick>,
    terms: Vec<String>,
    common: BTreeSet<String>,
}

impl Names {
    /// The names that `level` replaces.
    pub(super) fn of(assessment: &Assessment, level: Level) -> Self {
        let mut names = Self {
            level,
            words: BTreeMap::new(),
            counts: BTreeMap::new(),
            known: None,
            terms: Vec::new(),
            common: COMMON.iter().map(|word| (*word).to_owned()).collect(),
        };
        names.vocabulary(assessment);
        names.accounts(assessment);
        if level >= Level::People {
            names.people(assessment);
        }
        if level >= Level::Names {
            names.everything(assessment);
        }
        names.terms = names.words.keys().cloned().collect();
        names.known = AhoCorasickBuilder::new().ascii_case_insensitive(true).build(&names.terms).ok();
        names
    }

    /// The words of this assessment that are no one's names.
    fn vocabulary(&mut self, assessment: &Assessment) {
        let assets = assessment.assets.iter().flat_map(|asset| [&asset.provider, &asset.kind, &asset.class]);
        let credentials = assessment.credentials.iter().flat_map(|one| [&one.provider, &one.kind]);
        let agents = assessment.sessions.iter().map(|session| &session.agent);
        let plain = assessment.sessions.iter().filter(|session| session.agent == "plain");
        self.common.extend(plain.flat_map(|session| [session.name.to_lowercase(), session.key.to_lowercase()]));
        for word in assets.chain(credentials).chain(agents) {
            self.common.extend(word.split(['_', '-', ' ']).map(str::to_lowercase));
            self.common.insert(word.to_lowercase());
        }
    }

    fn accounts(&mut self, assessment: &Assessment) {
        for id in assessment.credentials.iter().filter_map(|one| one.public_id.as_deref()) {
            self.add(Kind::Id, id);
        }
    }

    fn people(&mut self, assessment: &Assessment) {
        let owners = assessment.assets.iter().filter_map(|asset| asset.owner.as_deref());
        let owners = owners.chain(assessment.fixes.all.iter().filter_map(|fix| fix.owner.as_deref()));
        let assessor = assessment.subject.assessor.as_deref();
        let identities = assessment.credentials.iter().filter_map(|one| one.identity.as_deref());
        let principals = assessment.paths.iter().flat_map(|path| path.principals.iter().map(String::as_str));
        let found = assessment.findings.iter().filter(|finding| finding.subject_kind == "principal");
        let found = found.flat_map(|finding| [finding.subject.as_str(), finding.subject_name.as_str()]);
        for person in owners.chain(assessor) {
            self.add(Kind::Person, person);
        }
        for identity in identities.chain(principals).chain(found) {
            self.add(Kind::Person, identity);
            self.pieces(Kind::Person, identity);
        }
    }

    fn everything(&mut self, assessment: &Assessment) {
        let subject = &assessment.subject;
        [&subject.client, &subject.title].into_iter().flatten().for_each(|name| self.add(Kind::Client, name));
        assessment.assets.iter().for_each(|asset| self.asset(asset));
        assessment.sessions.iter().for_each(|session| self.session(session));
        assessment.credentials.iter().for_each(|credential| self.credential(credential));
        for path in &assessment.paths {
            path.on.iter().for_each(|on| self.id(Kind::Asset, on));
        }
        for finding in &assessment.findings {
            self.id(Kind::Name, &finding.subject);
            self.add(Kind::Name, &finding.subject_name);
            finding.location.iter().for_each(|location| self.location(location));
        }
        for gap in &assessment.gaps {
            gap.scope.iter().for_each(|scope| self.id(Kind::Place, scope));
        }
        for evidence in &assessment.evidence {
            evidence.scope.iter().for_each(|scope| self.id(Kind::Place, scope));
            evidence.place.iter().for_each(|place| self.path(place));
        }
        let covers = &assessment.covers;
        covers.sessions.iter().for_each(|name| self.add(Kind::Session, name));
        covers.roots.iter().for_each(|root| self.path(root));
        covers.scopes.iter().for_each(|scope| self.id(Kind::Place, scope));
    }

    fn asset(&mut self, asset: &AssetAnswer) {
        self.add(Kind::Asset, &asset.name);
        self.id(Kind::Asset, &asset.key);
        asset.place.iter().for_each(|place| self.id(Kind::Place, place));
        asset.holds.iter().for_each(|holds| self.add(Kind::Asset, holds));
        asset.environment.iter().for_each(|name| self.environment(name));
        for copy in &asset.recovery_points {
            self.add(Kind::Copy, &copy.name);
            self.id(Kind::Copy, &copy.key);
        }
    }

    fn session(&mut self, session: &SessionRow) {
        // The plain session is Deadstop's own word.
        if session.agent != "plain" {
            self.add(Kind::Session, &session.name);
            self.id(Kind::Session, &session.key);
        }
        session.environment.iter().for_each(|name| self.environment(name));
        session.roots.iter().for_each(|root| self.path(root));
        for way in &session.ways {
            if way.kind.contains("mcp") {
                self.add(Kind::Tool, &way.name);
            }
            way.source.iter().for_each(|source| self.path(source));
        }
        session.kept.iter().for_each(|kept| self.path(&kept.path));
        let rows = session.tally.iter().flat_map(|tally| &tally.rows);
        let cited = rows.flat_map(|row| &row.examples).filter_map(|call| call.source.as_deref());
        cited.for_each(|source| self.path(source));
        session.tally.iter().flat_map(|tally| &tally.places).for_each(|place| self.path(place));
    }

    fn credential(&mut self, credential: &CredentialRow) {
        self.id(Kind::Name, &credential.key);
        credential.scope.iter().for_each(|scope| self.add(Kind::Place, scope));
        credential.environment.iter().for_each(|name| self.environment(name));
        credential.locations.iter().for_each(|location| self.location(location));
    }

    fn location(&mut self, location: &LocationRow) {
        if location.kind != "environment" {
            self.path(&location.path);
        }
        location.key.iter().for_each(|key| self.id(Kind::Setting, key));
    }

    fn environment(&mut self, name: &str) {
        if !ENVIRONMENTS.contains(&name) {
            self.add(Kind::Environment, name);
        }
    }

    /// A path, without the line behind it.
    fn path(&mut self, path: &str) {
        let line = |line: &str| !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
        let path = path.rsplit_once(':').filter(|(_, behind)| line(behind)).map_or(path, |(path, _)| path);
        self.add(Kind::Path, path);
        self.pieces(Kind::Name, path);
    }

    /// A name and its parts.
    fn id(&mut self, kind: Kind, id: &str) {
        self.add(kind, id);
        self.pieces(Kind::Name, id);
    }

    /// The parts of an id or a path that are names by themselves.
    fn pieces(&mut self, kind: Kind, id: &str) {
        for piece in id.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')) {
            let plain = piece.trim_matches(['-', '_']);
            let long = plain.chars().count() >= 3 && plain.chars().any(char::is_alphabetic);
            if long && !self.common.contains(&plain.to_lowercase()) {
                self.add(kind, plain);
            }
        }
    }

    fn add(&mut self, kind: Kind, name: &str) {
        let name = name.trim();
        if !name.is_empty() && !self.common.contains(&name.to_lowercase()) {
            self.whole(kind, name);
        }
    }

    /// What stands for a name; a new word, if it was not met before.
    pub(super) fn whole(&mut self, kind: Kind, name: &str) -> String {
        let name = name.to_lowercase();
        if let Some(word) = self.words.get(&name) {
            return word.clone();
        }
        let count = self.counts.entry(kind.word()).or_default();
        *count += 1;
        let word = format!("{}-{count}", kind.word());
        self.words.insert(name, word.clone());
        word
    }

    /// A text with every name in it replaced.
    pub(super) fn replace(&mut self, text: &str) -> String {
        let text = self.known(text);
        let mut out = String::with_capacity(text.len());
        // After `profile` any word is one; after the others a sentence may go on.
        let (mut rest, mut named, mut profile) = (text.as_str(), false, false);
        while !rest.is_empty() {
            let inside = |c: char| {
                !c.is_whitespace()
                    && !matches!(
                        c,
                        '"' | '\'' | '`' | '(' | ')' | ',' | ';' | '<' | '>' | '{' | '}' | '[' | ']' | '=' | '|'
                    )
            };
            let first = rest.chars().next().is_some_and(inside);
            let end = rest.find(|c| inside(c) != first).unwrap_or(rest.len());
            let (head, tail) = rest.split_at(end);
            if first {
                let bare = head.trim_end_matches(['.', ':', '!', '?', '…']);
                let word = if named
                    && (profile || named_by(bare))
                    && !self.common.contains(bare)
                    && self.level >= Level::Names
                {
                    self.whole(Kind::Name, bare)
                } else {
                    self.token(bare)
                };
                out.push_str(&word);
                out.push_str(head.get(bare.len()..).unwrap_or_default());
                named = BEFORE.contains(&bare);
                profile = bare == "profile";
            } else {
                out.push_str(head);
            }
            rest = tail;
        }
        out
    }

    /// The text with the names that are known replaced, longest first where they begin together.
    fn known(&self, text: &str) -> String {
        let Some(known) = &self.known else { return text.to_owned() };
        let free = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        let mut hits: Vec<(usize, usize, usize)> = known
            .find_overlapping_iter(text)
            .filter(|hit| {
                let (before, after) =
                    (text.get(..hit.start()).unwrap_or_default(), text.get(hit.end()..).unwrap_or_default());
                // A long name is one inside another word too: `ReportingFull` speaks of `reporting`.
                hit.len() >= LONG || (free(before.chars().next_back()) && free(after.chars().next()))
            })
            .map(|hit| (hit.start(), usize::MAX - hit.end(), hit.pattern().as_usize()))
            .collect();
        hits.sort_unstable();
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (start, end, term) in hits {
            let end = usize::MAX - end;
            let word = self.terms.get(term).and_then(|term| self.words.get(term));
            if let Some(word) = word.filter(|_| start >= at) {
                out.push_str(text.get(at..start).unwrap_or_default());
                out.push_str(word);
                at = end;
            }
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    }

    /// A run without spaces, by its form.
    fn token(&mut self, token: &str) -> String {
        let names = self.level >= Level::Names;
        if names && (token.starts_with("arn:") || token.contains("://")) {
            return self.whole(Kind::Resource, token);
        }
        if names && (token.starts_with('/') || token.starts_with("~/") || token.starts_with("./")) && token.len() > 2 {
            return self.whole(Kind::Path, token);
        }
        if self.level >= Level::People && mail(token) {
            return self.whole(Kind::Person, token);
        }
        let parts = |c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
        let mut out = String::with_capacity(token.len());
        let mut home = false;
        for piece in token.split_inclusive(parts) {
            let bare = piece.trim_end_matches(parts);
            let word = self.part(bare, home);
            out.push_str(&word);
            out.push_str(piece.get(bare.len()..).unwrap_or_default());
            home = matches!(bare, "home" | "Users");
        }
        out
    }

    /// A part of a run, by its form; `home` if it is the name of a home folder.
    fn part(&mut self, part: &str, home: bool) -> String {
        let digits = part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits {
            return self.whole(Kind::Account, part);
        }
        if quote::secretive(part) {
            return self.whole(Kind::Id, part);
        }
        if home && self.level >= Level::People && !part.is_empty() {
            return self.whole(Kind::Person, part);
        }
        if self.level >= Level::Names && host(part) {
            return self.whole(Kind::Host, part);
        }
        part.to_owned()
    }
}

/// Whether a word after one that a name comes after is that name.
fn named_by(word: &str) -> bool {
    let numbered = word.rsplit_once('-').is_some_and(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
    let goes_on = GOES_ON.split(' ').any(|one| one == word);
    !numbered && !goes_on && word.chars().any(char::is_alphabetic)
}

fn mail(token: &str) -> bool {
    token.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.') && !host.contains('@'))
        && !token.contains('/')
}

fn host(part: &str) -> bool {
    let labels: Vec<&str> = part.split('.').collect();
    let numbers = labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok());
    let last = labels.last().copied().unwrap_or_default();
    let named = (last.len() == 2 && last.bytes().all(|byte| byte.is_ascii_lowercase()) && !FILES.contains(&last))
        || ENDINGS.contains(&last);
    numbers || (labels.len() > 1 && labels.iter().all(|label| !label.is_empty()) && named)
}
