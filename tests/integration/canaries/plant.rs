//! Secrets in every place where one may lie or be typed, and the eye that looks for them.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::program::Place;

/// The shortest piece of a secret that is one too many.
const PIECE: usize = 12;

/// How a secret is made.
#[derive(Clone, Copy)]
enum Form {
    /// Letters and digits, behind a prefix.
    Mixed(&'static str, usize),

    /// As providers with UUIDs for tokens have them.
    Uuid,
    /// A password with what HTML, JSON, YAML and shells write otherwise.
    Odd,
}

/// A file below the place, its text with `@@` for the secret, and how the secret is made.
const FILES: [(&str, &str, Form); 26] = [
    ("work/.env", "RAILWAY_TOKEN=@@\nPORT=80\n", Form::Uuid),
    (
        "work/.env.production",
        "DATABASE_URL=postgres://app:@@@db.internal.example:5432/shop-prod\n",
        Form::Mixed("", 22),
    ),
    ("work/odd/.env", "SMTP_PASSWORD='@@'\n", Form::Odd),
    ("work/config/app.json", "{\"stripe\": {\"api_key\": \"@@\"}}\n", Form::Mixed("sk_live_", 32)),
    ("work/config/odd.json", "{\"db\": {\"password\": \"@@\"}}\n", Form::Mixed("", 24)),
    ("work/config/names.toml", "[env]\n@@_TOKEN = \"set elsewhere\"\n", Form::Mixed("", 32)),
    ("work/src/client.py", "client = OpenAI(api_key=\"@@\")\n", Form::Mixed("sk-proj-", 60)),
    ("work/deploy.sh", "curl -H 'Authorization: Bearer @@' https://api.example.test\n", Form::Mixed("", 40)),
    (
        "work/compose.yaml",
        "services:\n  db:\n    environment:\n      MYSQL_ROOT_PASSWORD: \"@@\"\n",
        Form::Mixed("", 20),
    ),
    (
        "work/.mcp.json",
        "{\"mcpServers\": {\"a\": {\"command\": \"npx\", \"args\": [\"server\", \"--token\", \"@@\"]}}}\n",
        Form::Mixed("", 36),
    ),
    (
        "work/.cursor/mcp.json",
        "{\"mcpServers\": {\"b\": {\"url\": \"https://mcp.example.test/sse\", \"headers\": {\"Authorization\": \"Bearer @@\"}}}}\n",
        Form::Mixed("", 36),
    ),
    (
        "work/infra/terraform.tfstate",
        "{\"version\": 4, \"resources\": [{\"mode\": \"managed\", \"type\": \"aws_db_instance\", \"name\": \"main\", \"instances\": [{\"attributes\": {\"arn\": \"arn:aws:rds:eu-west-1:609629065308:db:shop\", \"password\": \"@@\"}}]}]}\n",
        Form::Mixed("", 24),
    ),
    (
        "work/.claude/settings.json",
        "{\"env\": {\"ANTHROPIC_API_KEY\": \"@@\"}, \"permissions\": {\"deny\": [\"Bash(rm:*)\"]}}\n",
        Form::Mixed("sk-ant-api03-", 80),
    ),
    (
        "work/.claude/settings.local.json",
        "{\"permissions\": {\"allow\": [\"Bash(curl -H 'X-Api-Key: @@' https://api.example.test:*)\"]}}\n",
        Form::Mixed("", 36),
    ),
    (
        "work/.git/config",
        "[remote \"origin\"]\n\turl = https://anna:@@@github.com/acme/shop.git\n",
        Form::Mixed("ghp_", 36),
    ),
    ("home/.aws/credentials", "[default]\naws_access_key_id = ~~\naws_secret_access_key = @@\n", Form::Mixed("", 40)),
    (
        "home/.aws/sso/cache/a.json",
        "{\"accessToken\": \"@@\", \"expiresAt\": \"2020-01-01T00:00:00Z\"}\n",
        Form::Mixed("", 120),
    ),
    (
        "home/.kube/config",
        "apiVersion: v1\nkind: Config\nclusters:\n- {name: c, cluster: {server: \"https://k8s.example.test\"}}\ncontexts:\n- {name: c, context: {cluster: c, user: u}}\nusers:\n- {name: u, user: {token: \"@@\"}}\n",
        Form::Mixed("", 60),
    ),
    ("home/.railway/config.json", "{\"user\": {\"token\": \"@@\"}}\n", Form::Uuid),
    ("home/.pgpass", "db.internal.example:5432:shop:owner:@@\n", Form::Mixed("", 18)),
    ("home/.my.cnf", "[client]\nuser = root\nhost = m.example.test\npassword = @@\n", Form::Mixed("", 18)),
    ("home/.netrc", "machine api.heroku.com\n  login a@example.test\n  password @@\n", Form::Uuid),
    ("home/.config/gh/hosts.yml", "github.com:\n    user: anna\n    oauth_token: @@\n", Form::Mixed("gho_", 36)),
    ("home/.bash_history", "ls\nPGPASSWORD=@@ psql -h db.internal.example -U app\n", Form::Mixed("", 26)),
    ("home/.docker/config.json", "{\"auths\": {\"ghcr.io\": {\"auth\": \"@@\"}}}\n", Form::Mixed("", 40)),
    ("home/.npmrc", "//registry.npmjs.org/:_authToken=@@\n", Form::Mixed("npm_", 36)),
];

/// Everything planted, and what none of it may show itself as.
pub(super) struct Planted {
    pub(super) place: Place,
    secrets: Vec<(String, String)>,
}

impl Planted {
    /// A place with a home and a project, both full of secrets.
    pub(super) fn new() -> Self {
        let mut planted = Self { place: Place::new(), secrets: Vec::new() };
        for (path, text, form) in FILES {
            let secret = planted.secret(path, form);
            let key = ["AKIA", "Y34FZKBOKMUTVV7A"].concat();
            planted.place.write(path, &text.replacen("@@", &secret, 1).replace("~~", &key));
        }
        planted
    }

    /// One more secret, of letters and digits, for the place named.
    pub(super) fn more(&mut self, name: &str) -> String {
        self.secret(name, Form::Mixed("", 32))
    }

    fn secret(&mut self, name: &str, form: Form) -> String {
        let seed = self.secrets.len() as u64 + 1;
        let secret = match form {
            Form::Mixed(prefix, length) => format!("{prefix}{}", made_up(LETTERS, seed, length)),
            Form::Uuid => {
                let hex = made_up(b"0123456789abcdef", seed, 32);
                [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
            }
            Form::Odd => format!(
                "{}<&\">{}\\%$ü{}",
                made_up(LETTERS, seed, 9),
                made_up(LETTERS, seed + 90, 9),
                made_up(LETTERS, seed + 99, 14)
            ),
        };
        self.secrets.push((name.to_owned(), secret.clone()));
        secret
    }

    /// The eye that knows every secret planted so far.
    pub(super) fn eye(&self) -> Eye {
        let mut pieces = BTreeSet::new();
        for (name, secret) in &self.secrets {
            let known = forms(secret).into_iter().map(|piece| (piece, name.clone()));
            pieces.extend(known);
        }
        let (pieces, names): (Vec<Vec<u8>>, Vec<String>) = pieces.into_iter().unzip();
        Eye { automaton: AhoCorasick::new(&pieces).unwrap(), names, seen: BTreeSet::new(), told: Vec::new() }
    }
}

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn made_up(alphabet: &[u8], seed: u64, length: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    (0..length).map(|_| char::from(alphabet[next() % alphabet.len()])).collect()
}

/// Every piece by which a secret would be known: of itself, in other cases, encoded, escaped, and of its hash.
fn forms(secret: &str) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    let mut pieces = |text: &[u8], length: usize| found.extend(text.windows(length).map(<[u8]>::to_vec));
    for text in [secret.to_owned(), secret.to_lowercase(), secret.to_uppercase()] {
        pieces(text.as_bytes(), PIECE);
    }
    pieces(secret.chars().rev().collect::<String>().as_bytes(), PIECE);
    // Three places in a longer text give three encodings; their first and last letters hang on what stands beside.
    for before in ["", "x", "xx"] {
        let text = format!("{before}{secret}");
        for coded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            pieces(&coded.as_bytes()[4..coded.len() - 4], PIECE);
        }
    }
    let hex = |bytes: &[u8], sign: &str| bytes.iter().map(|byte| format!("{sign}{byte:02x}")).collect::<String>();
    let (plain, percent) = (hex(secret.as_bytes(), ""), hex(secret.as_bytes(), "%"));
    for text in [plain.clone(), plain.to_uppercase()] {
        pieces(text.as_bytes(), 2 * PIECE);
    }
    for text in [percent.clone(), percent.to_uppercase()] {
        pieces(text.as_bytes(), 3 * PIECE);
    }
    // As HTML, JSON and URLs write what is odd.
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    pieces(html.as_bytes(), PIECE);
    pieces(serde_json::to_string(secret).unwrap().trim_matches('"').as_bytes(), PIECE);
    pieces(url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>().as_bytes(), PIECE);
    for text in [secret.to_owned(), format!("{secret}\n")] {
        pieces(hex(&Sha256::digest(text.as_bytes()), "").as_bytes(), PIECE);
        pieces(STANDARD_NO_PAD.encode(Sha256::digest(text.as_bytes())).as_bytes(), PIECE);
    }
    found.retain(|piece| piece.iter().collect::<BTreeSet<_>>().len() > 5);
    found
}

/// Looks for what was planted.
pub(super) struct Eye {
    automaton: AhoCorasick,
    names: Vec<String>,
    seen: BTreeSet<[u8; 32]>,
    pub(super) told: Vec<String>,
}

impl Drop for Eye {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.told.is_empty(), "{} leaks:\n{}", self.told.len(), self.told.join("\n"));
        }
    }
}

impl Eye {
    /// Holds `bytes` to the rule; `what` says where they came from.
    pub(super) fn look(&mut self, what: &str, bytes: &[u8]) {
        if !self.seen.insert(Sha256::digest(bytes).into()) {
            return;
        }
        if let Some(hit) = self.automaton.find(bytes) {
            let near = &bytes[hit.start().saturating_sub(80)..bytes.len().min(hit.end() + 40)];
            let name = &self.names[hit.pattern().as_usize()];
            let near = String::from_utf8_lossy(near);
            self.told.push(format!("{what} tells a piece of the secret of {name}: {near}"));
        }
    }

    /// The same for everything below a folder, names too; nothing that was planted lies there.
    pub(super) fn look_below(&mut self, what: &str, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.map(Result::unwrap) {
            let path = entry.path();
            let what = format!("{what}: {}", path.display());
            self.look(&what, path.as_os_str().as_encoded_bytes());
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                self.look_below(&what, &path);
            } else if kind.is_file() {
                self.look(&what, &fs::read(&path).unwrap());
            }
        }
    }
}

#[test]
fn the_eye_sees_what_it_must() {
    let planted = Planted::new();
    let secret = planted.secrets[1].1.clone();
    let sees = |text: String| planted.eye().automaton.is_match(&text);
    assert!(!sees("an innocent text with RAILWAY_TOKEN and postgres://app@db.internal.example".to_owned()));
    assert!(sees(format!("x{}", &secret[5..5 + PIECE])) && !sees(format!("x{}", &secret[5..4 + PIECE])));
    assert!(sees(STANDARD_NO_PAD.encode(format!("app:{secret}@db"))));
    assert!(sees(Sha256::digest(&secret).iter().map(|byte| format!("{byte:02x}")).collect()));
    assert!(sees(secret.bytes().map(|byte| format!("%{byte:02X}")).collect()));
    let odd = &planted.secrets.iter().find(|(name, _)| name.ends_with("odd/.env")).unwrap().1;
    assert!(sees(odd.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")));
}
