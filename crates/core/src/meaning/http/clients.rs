//! Clients of HTTP: what they ask, from their options (floor 2).

use super::path_of;
use crate::meaning::forms::{is_option, values};
use crate::meaning::interpret::Reader;
use crate::meaning::syntax::Word;
use crate::meaning::{MACHINE, Target};

/// A request as a client makes it.
#[derive(Default)]
struct Request {
    method: Option<String>,
    urls: Vec<Word>,
    body: Option<Word>,
    unix_socket: bool,
}

/// Short options of `curl` that take a value (curl.se/docs/manpage.html).
const SHORT: &str = "XdHuoAbceFKmTwxEyYzCDhtPQrU";

/// The same of its long ones.
const LONG: [&str; 40] = [
    "--request",
    "--data",
    "--data-raw",
    "--data-binary",
    "--data-urlencode",
    "--data-ascii",
    "--json",
    "--header",
    "--user",
    "--output",
    "--user-agent",
    "--cookie",
    "--cookie-jar",
    "--referer",
    "--form",
    "--form-string",
    "--config",
    "--max-time",
    "--connect-timeout",
    "--upload-file",
    "--write-out",
    "--proxy",
    "--cert",
    "--key",
    "--cacert",
    "--oauth2-bearer",
    "--aws-sigv4",
    "--unix-socket",
    "--url",
    "--retry",
    "--retry-delay",
    "--resolve",
    "--range",
    "--interface",
    "--output-dir",
    "--dump-header",
    "--url-query",
    "--netrc-file",
    "--limit-rate",
    "--proto",
];

impl Reader<'_> {
    /// `curl`, `wget`, `http`.
    pub(in crate::meaning) fn fetches(&mut self, program: &str, rest: &[Word]) {
        let request = match program {
            "curl" => self.curl(rest),
            "wget" => self.wget(rest),
            _ => httpie(rest),
        };
        let Some(request) = request else { return };
        if request.urls.is_empty() {
            self.doubt("the address is not in the text");
        }
        let method = request.method.unwrap_or_else(|| if request.body.is_some() { "POST" } else { "GET" }.to_owned());
        if method.contains('$') {
            self.doubt("the method is in a variable");
        }
        for url in &request.urls {
            if request.unix_socket {
                self.known(&method, "localhost", path_of(&url.text), false);
            } else {
                self.request(&method, url, request.body.as_ref());
            }
        }
    }

    fn curl(&mut self, rest: &[Word]) -> Option<Request> {
        let mut request = Request::default();
        let mut at = 0;
        let mut get = false;
        while let Some(word) = rest.get(at) {
            at += 1;
            let text = word.text.as_str();
            let (name, value) = if let Some(long) = text.strip_prefix("--").filter(|long| !long.is_empty()) {
                let (name, held) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
                let name = format!("--{name}");
                if held.is_some() || !LONG.contains(&name.as_str()) {
                    (name, held.map(|text| Word { text: text.to_owned(), open: word.open }))
                } else {
                    at += 1;
                    (name, rest.get(at - 1).cloned())
                }
            } else if is_option(text) {
                let letters = text.trim_start_matches('-');
                let taking = letters.find(|c| SHORT.contains(c));
                get |= letters.get(..taking.unwrap_or(letters.len())).is_some_and(|flags| flags.contains('G'));
                if letters.get(..taking.unwrap_or(letters.len())).is_some_and(|flags| flags.contains('I')) {
                    request.method.get_or_insert_with(|| "HEAD".to_owned());
                }
                let Some(start) = taking else { continue };
                let letter: String = letters.chars().skip(start).take(1).collect();
                let held: String = letters.chars().skip(start + 1).collect();
                if held.is_empty() {
                    at += 1;
                    (format!("-{letter}"), rest.get(at - 1).cloned())
                } else {
                    (format!("-{letter}"), Some(Word { text: held, open: word.open }))
                }
            } else {
                request.urls.push(word.clone());
                continue;
            };
            match (name.as_str(), value) {
                ("-X" | "--request", Some(method)) => request.method = Some(method.text.to_uppercase()),
                ("-d" | "-F", Some(body)) => request.body = Some(body),
                ("-T" | "--upload-file", _) => request.method = request.method.or_else(|| Some("PUT".to_owned())),
                ("--url", Some(url)) => request.urls.push(url),
                ("--unix-socket", _) => request.unix_socket = true,
                ("-K" | "--config", _) => self.doubt("a file says what is asked"),
                ("-o" | "--output" | "-c" | "-D" | "--cookie-jar" | "--dump-header", Some(file))
                    if !["/dev/null", "-"].contains(&file.text.as_str()) =>
                {
                    let source = "https://curl.se/docs/manpage.html";
                    self.meaning.amount(MACHINE, "file:overwrite", Target::Any, true, source);
                }
                ("--get", _) => get = true,
                ("--head", _) => request.method = request.method.or_else(|| Some("HEAD".to_owned())),
                (long, Some(body)) if long.starts_with("--data") || long == "--json" || long.starts_with("--form") => {
                    request.body = Some(body);
                }
                _ => {}
            }
        }
        if get && request.method.is_none() {
            request.method = Some("GET".to_owned());
        }
        Some(request)
    }

    fn wget(&mut self, rest: &[Word]) -> Option<Request> {
        let method = values("--method", rest).first().map(|word| word.text.to_uppercase());
        let bodies = ["--post-data", "--body-data", "--post-file", "--body-file"].into_iter();
        let mut bodies = bodies.flat_map(|option| values(option, rest).into_iter().map(move |word| (option, word)));
        let body =
            bodies.next().map(
                |(option, word)| {
                    if option.ends_with("file") { Word { text: "@".to_owned(), open: true } } else { word }
                },
            );
        let plain = |word: &&Word| word.text.contains("://") || (!is_option(&word.text) && word.text.contains('.'));
        let taken: Vec<Word> = ["--header", "--post-data", "--body-data", "--method", "-O", "-P"]
            .iter()
            .flat_map(|o| values(o, rest).into_iter().take(1))
            .collect();
        let urls =
            rest.iter().filter(plain).filter(|word| !is_option(&word.text) && !taken.contains(word)).cloned().collect();
        let kept = rest.iter().any(|word| {
            word.text.starts_with("-qO-") || word.text == "-O-" || word.text == "--spider" || word.text == "-qO"
        });
        if !kept {
            self.meaning.amount(
                MACHINE,
                "file:overwrite",
                Target::Any,
                true,
                "https://www.gnu.org/software/wget/manual/wget.html",
            );
        }
        Some(Request { method, urls, body, unix_socket: false })
    }

    /// `gh api PATH`.
    pub(in crate::meaning) fn gh_api(&mut self, rest: &[Word]) {
        let method = ["-X", "--method"].iter().flat_map(|option| values(option, rest)).next();
        let fields = ["-f", "-F", "--field", "--raw-field", "--input"];
        let filled = rest.iter().any(|word| fields.contains(&word.text.as_str()));
        let method =
            method.map_or_else(|| if filled { "POST" } else { "GET" }.to_owned(), |word| word.text.to_uppercase());
        let taking = [
            "-X",
            "--method",
            "-H",
            "--header",
            "-q",
            "--jq",
            "-t",
            "--template",
            "--hostname",
            "-p",
            "--preview",
            "--cache",
        ];
        let mut at = 0;
        while let Some(word) = rest.get(at).filter(|word| is_option(&word.text)) {
            let takes = taking.contains(&word.text.as_str()) || fields.contains(&word.text.as_str());
            at += if takes { 2 } else { 1 };
        }
        let Some(path) = rest.get(at) else { return self.doubt("the path is not in the text") };
        let path = path.text.trim_start_matches("https://api.github.com").trim_start_matches('/');
        if path == "graphql" {
            return self.doubt("the mutations of GitHub's GraphQL are not in the catalogue");
        }
        self.known(&method, "api.github.com", &format!("/{path}"), false);
    }

    /// `az rest --method delete --url …`.
    pub(in crate::meaning) fn az_rest(&mut self, rest: &[Word]) {
        let method = ["-m", "--method"].iter().flat_map(|option| values(option, rest)).next();
        let method = method.map_or_else(|| "GET".to_owned(), |word| word.text.to_uppercase());
        match ["-u", "--url", "--uri"].iter().flat_map(|option| values(option, rest)).next() {
            Some(url) => self.request(&method, &url, None),
            None => self.doubt("the address is not in the text"),
        }
    }
}

fn httpie(rest: &[Word]) -> Option<Request> {
    const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    let mut words = rest.iter().filter(|word| !is_option(&word.text));
    let first = words.next()?;
    let mut request = Request::default();
    let url = if METHODS.contains(&first.text.to_uppercase().as_str()) {
        request.method = Some(first.text.to_uppercase());
        words.next()?
    } else {
        first
    };
    request.urls.push(url.clone());
    for item in words {
        if let Some(document) = item.text.strip_prefix("query=") {
            let json = serde_json::json!({ "query": document }).to_string();
            request.body = Some(Word { text: json, open: item.open });
        } else if item.text.contains(['=', '@']) && !item.text.contains("==") && !item.text.contains(':') {
            request.body.get_or_insert_with(|| Word { text: item.text.clone(), open: true });
        }
    }
    Some(request)
}
