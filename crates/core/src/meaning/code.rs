//! Code in a line of some language: known calls by their names, and the SQL, addresses and commands in its strings
//! (floor 2). A call that is in no list here may do anything.

mod table;

use std::collections::BTreeSet;

use super::forms::is_option;
use super::interpret::Reader;
use super::syntax::Word;
use super::{MACHINE, Meaning, Target, sql};
use crate::catalogue;
use table::{CALLS, RUNS};

/// How an interpreter takes its code.
pub(super) struct Interpreter {
    /// Letters of options that hold it.
    letters: &'static str,
    /// Long options that hold it.
    long: &'static [&'static str],
    /// Options that take another value.
    values: &'static [&'static str],
    /// Whether `-m` names a module.
    modules: bool,
}

const PYTHON: Interpreter = Interpreter { letters: "c", long: &[], values: &["-W", "-X"], modules: true };
const NODE: Interpreter = Interpreter {
    letters: "ep",
    long: &["--eval", "--print"],
    values: &["-r", "--require", "--import", "--env-file"],
    modules: false,
};
const RUBY: Interpreter = Interpreter { letters: "e", long: &[], values: &["-I", "-C", "-E"], modules: false };
const PHP: Interpreter = Interpreter { letters: "r", long: &["--run"], values: &["-d", "-c"], modules: false };

/// The interpreter of that name.
pub(super) fn interpreter(program: &str) -> Option<Interpreter> {
    let base = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    match base {
        "python" | "pypy" | "ipython" => Some(PYTHON),
        "node" | "nodejs" | "deno" | "tsx" | "ts-node" => Some(NODE),
        "ruby" | "perl" => Some(RUBY),
        "php" => Some(PHP),
        _ => None,
    }
}

/// What an interpreter is given.
pub(super) enum Held {
    /// The code itself.
    Text(Word),
    /// A module of a known program, with its arguments.
    Module(Vec<Word>),
    /// A file, with its arguments.
    File(Word, Vec<Word>),
    /// What is piped in.
    Stdin,
    /// It only says something of itself.
    Nothing,
}

/// Where the code stands.
pub(super) fn held(kind: &Interpreter, rest: &[Word]) -> Held {
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        let text = word.text.as_str();
        let next = || rest.get(at + 1).cloned();
        if let Some((_, value)) = text.split_once('=').filter(|(name, _)| kind.long.contains(name)) {
            return Held::Text(Word { text: value.to_owned(), open: word.open });
        }
        if kind.long.contains(&text) {
            return next().map_or(Held::Stdin, Held::Text);
        }
        if kind.modules && text == "-m" {
            let mut words: Vec<Word> = rest.get(at + 1..).unwrap_or_default().to_vec();
            let module = words.first().map(|word| word.text.clone()).unwrap_or_default();
            if module == "awscli"
                && let Some(first) = words.first_mut()
            {
                *first = Word::known("aws");
                return Held::Module(words);
            }
            return Held::File(Word { text: "a module".to_owned(), open: true }, Vec::new());
        }
        if ["--version", "-V", "--help", "-h"].contains(&text) {
            return Held::Nothing;
        }
        if text == "-" {
            return Held::Stdin;
        }
        if kind.values.contains(&text) {
            at += 2;
            continue;
        }
        if is_option(text) && !text.starts_with("--") {
            // `-ne CODE`, `-ecode`, `-raws-sdk-rds`
            let letters = text.trim_start_matches('-');
            let code = letters.find(|c| kind.letters.contains(c) || (c == 'E' && kind.letters == "e"));
            let lib = kind.letters == "e" && letters.starts_with(['r', 'M', 'I']);
            if let Some(place) = code.filter(|_| !lib) {
                let inline: String = letters.chars().skip(place + 1).collect();
                return if inline.is_empty() {
                    next().map_or(Held::Stdin, Held::Text)
                } else {
                    Held::Text(Word { text: inline, open: word.open })
                };
            }
            at += 1;
            continue;
        }
        if is_option(text) {
            at += 1;
            continue;
        }
        // `deno eval CODE`
        if text == "eval" {
            return next().map_or(Held::Stdin, Held::Text);
        }
        return Held::File(word.clone(), rest.get(at + 1..).unwrap_or_default().to_vec());
    }
    Held::Stdin
}

/// Reads code of which nothing is known but its text.
pub(super) fn read(reader: &mut Reader<'_>, text: &str) {
    let lower = text.to_lowercase();
    let strings = strings(text);
    let called = called(text);
    let runs = called.iter().any(|name| RUNS.contains(&name.to_lowercase().as_str()));
    if runs || lower.contains("subprocess") || lower.contains("child_process") || text.contains('`') {
        reader.doubt("the code runs something else");
        for string in strings.iter().filter(|string| string.contains(' ')) {
            reader.script(string);
        }
    }
    calls(reader, text, &lower, &called);
    // Perl calls without brackets.
    if lower.starts_with("unlink ") || lower.contains(" unlink ") || lower.contains(";unlink ") {
        reader.meaning.amount(MACHINE, "file:delete", Target::Any, true, "https://perldoc.perl.org/functions/unlink");
    }
    requests(reader, text, &lower, &strings);
    let dialect = dialect(&lower);
    let mut queries = 0;
    for string in strings.iter().filter(|string| is_sql(string)) {
        queries += 1;
        sql::read(&mut reader.meaning, dialect, string, false, SQL);
    }
    let asks = called.iter().any(|name| ["execute", "query", "executemany", "executescript"].contains(&name.as_str()));
    if asks && queries == 0 {
        sql::unread(&mut reader.meaning, dialect, SQL);
    }
    reader.doubt("code may do more than was found in it");
}

const SQL: &str = "https://www.postgresql.org/docs/current/sql-commands.html";

/// The calls of code that a grammar has read.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// What is called with what, in the words of the code, for the names of clients in it.
    pub text: String,
    /// Texts that stand in it.
    pub strings: Vec<String>,
    /// The last name of everything that is called.
    pub called: BTreeSet<String>,
    /// Command lines that it runs.
    pub commands: Vec<String>,
    /// SQL that it has run; nothing, where that is not plain.
    pub queries: Vec<Option<String>>,
}

/// Reads the calls of code, with the names of those that are found in a list here. What else it calls is for the caller to judge.
pub(super) fn read_calls(reader: &mut Reader<'_>, code: &Calls) -> BTreeSet<String> {
    let lower = code.text.to_lowercase();
    for command in &code.commands {
        reader.script(command);
    }
    let mut found = BTreeSet::new();
    for name in &code.called {
        // By itself, as of two names for one operation the second would add nothing.
        let mut alone = Reader::new(reader.around);
        calls(&mut alone, &code.text, &lower, &BTreeSet::from([name.clone()]));
        if !alone.meaning.amounts.is_empty() {
            found.insert(name.clone());
            reader.meaning.amounts.append(&mut alone.meaning.amounts);
        }
    }
    requests(reader, &code.text, &lower, &code.strings);
    let dialect = dialect(&lower);
    for query in &code.queries {
        match query {
            Some(query) => sql::read(&mut reader.meaning, dialect, query, false, SQL),
            None => sql::unread(&mut reader.meaning, dialect, SQL),
        }
    }
    found
}

fn dialect(lower: &str) -> sql::Dialect {
    if lower.contains("mysql") || lower.contains("mariadb") {
        sql::Dialect::Mysql
    } else if lower.contains("sqlite") {
        sql::Dialect::Sqlite
    } else {
        sql::Dialect::Postgres
    }
}

/// Calls by their names.
fn calls(reader: &mut Reader<'_>, text: &str, lower: &str, called: &BTreeSet<String>) {
    aws(reader, text, lower, called);
    for (call, hint, provider, action) in CALLS {
        if lower.contains(hint) && called.iter().any(|name| name.to_lowercase() == call) {
            let source = "https://docs.python.org/3/using/cmdline.html#cmdoption-c";
            reader.meaning.amount(provider, action, Target::Any, true, source);
        }
    }
    if text.contains("repos.delete(") && called.contains("delete") {
        reader.meaning.amount("github", "repos/delete", Target::Any, true, "https://github.com/octokit/octokit.js");
    }
    if lower.contains("redis") && called.contains("delete") {
        reader.meaning.amount("redis", "DEL", Target::Any, true, "https://redis.io/docs/latest/commands/del/");
    }
}

/// Operations of AWS, by the names that its libraries give them.
fn aws(reader: &mut Reader<'_>, text: &str, lower: &str, called: &BTreeSet<String>) {
    if !["boto", "aws-sdk", "aws::", "aws_sdk", "awssdk"].iter().any(|hint| lower.contains(hint)) {
        return;
    }
    const SOURCE: &str = "https://docs.aws.amazon.com/boto3/latest/";
    let plain = |name: &str| -> String {
        let name = name.strip_suffix("Command").unwrap_or(name);
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let actions: Vec<_> = catalogue::actions().into_iter().filter(|action| action.provider == "aws").collect();
    for name in called {
        let wanted = match plain(name).as_str() {
            "deleteobjects" => "deleteobject".to_owned(),
            other => other.to_owned(),
        };
        let of = |action: &&crate::model::Action| {
            action.action.split_once(':').is_some_and(|(_, own)| own.to_lowercase() == wanted)
        };
        let all: Vec<_> = actions.iter().filter(of).collect();
        let service = |action: &&&crate::model::Action| {
            let prefix = action.action.split(':').next().unwrap_or_default();
            let own = match prefix {
                "elasticfilesystem" => "efs",
                "es" => "opensearch",
                "elasticmapreduce" => "emr",
                other => other,
            };
            lower.contains(own) || lower.contains(prefix)
        };
        let named: Vec<_> = all.iter().filter(service).collect();
        let chosen = if named.is_empty() { all.iter().collect() } else { named };
        for action in chosen {
            let reference = action.reference.as_deref().unwrap_or(SOURCE);
            reader.meaning.amount("aws", &action.action, strings_target(text), true, reference);
        }
    }
    if called.contains("delete") {
        let action = if text.contains("object_versions") {
            "s3:DeleteObjectVersion"
        } else if text.contains(".objects") || text.contains("Object(") {
            "s3:DeleteObject"
        } else if text.contains("Table(") {
            "dynamodb:DeleteTable"
        } else if text.contains("Bucket(") {
            "s3:DeleteBucket"
        } else {
            return;
        };
        reader.meaning.amount("aws", action, strings_target(text), true, SOURCE);
    }
}

/// Whatever has a name that stands among the strings of a text.
fn strings_target(text: &str) -> Target {
    let open =
        text.contains("environ") || text.contains("process.env") || text.contains("argv") || text.contains("getenv");
    let all: BTreeSet<String> = strings(text).into_iter().filter(|string| !string.is_empty()).collect();
    if open || all.len() < 2 { Target::Any } else { Target::Named(all) }
}

/// Requests that the code makes.
fn requests(reader: &mut Reader<'_>, text: &str, lower: &str, strings: &[String]) {
    let urls: Vec<&String> = strings.iter().filter(|string| string.contains("://") && !string.contains(' ')).collect();
    if urls.is_empty() {
        return;
    }
    let method = if lower.contains(".delete(") || lower.contains("\"delete\"") || lower.contains("'delete'") {
        "DELETE"
    } else if lower.contains(".post(") || lower.contains("\"post\"") || lower.contains("'post'") {
        "POST"
    } else if lower.contains(".put(")
        || lower.contains("\"put\"")
        || lower.contains(".patch(")
        || lower.contains("\"patch\"")
    {
        return reader.doubt("what the code's request does is not in the catalogue");
    } else {
        "GET"
    };
    for url in urls {
        if url.contains("backboard.railway") {
            let documents = strings.iter().filter(|string| string.contains("mutation"));
            let mut found = false;
            for document in documents {
                found = true;
                reader.document(document, None);
            }
            if !found && !text.contains("query {") {
                reader.possible(
                    "railway",
                    "https://docs.railway.com/integrations/api",
                    "the mutation is not in the text",
                );
            }
        } else if !["postgres", "mysql", "redis", "mongodb"].iter().any(|scheme| url.starts_with(scheme)) {
            reader.request(method, &Word::known(url), None);
        }
    }
}

fn is_sql(text: &str) -> bool {
    const HEADS: [&str; 14] = [
        "select ", "drop ", "delete ", "truncate", "update ", "insert ", "alter ", "create ", "with ", "grant ",
        "call ", "do ", "commit", "begin",
    ];
    let lower = text.trim_start().to_lowercase();
    HEADS.iter().any(|head| lower.starts_with(head))
}

/// The names in front of an opening bracket.
fn called(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut word = String::new();
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for c in text.chars() {
        if let Some(open) = quote {
            quote = if c == open && !escaped { None } else { quote };
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '\'' | '"' => {
                quote = Some(c);
                word.clear();
            }
            '(' => {
                if !word.is_empty() {
                    found.insert(std::mem::take(&mut word));
                }
            }
            _ if c.is_alphanumeric() || c == '_' || c == '$' => word.push(c),
            _ => word.clear(),
        }
    }
    found
}

/// The strings of a text, whatever their quotes.
pub(super) fn strings(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut quote: Option<char> = None;
    let mut current = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match quote {
            None if matches!(c, '\'' | '"' | '`') => quote = Some(c),
            None => {}
            Some(_) if c == '\\' => match chars.next() {
                Some('n') => current.push('\n'),
                Some(next) => current.push(next),
                None => {}
            },
            Some(open) if c == open => {
                found.push(std::mem::take(&mut current));
                quote = None;
            }
            Some(_) => current.push(c),
        }
    }
    found
}

/// JavaScript for MongoDB's shell (mongodb.com/docs/mongodb-shell/reference/methods).
pub(super) fn mongo(meaning: &mut Meaning, text: &str, open: bool, source: &str) {
    const READS: [&str; 34] = [
        "find",
        "findone",
        "count",
        "countdocuments",
        "estimateddocumentcount",
        "distinct",
        "stats",
        "getcollectionnames",
        "getcollection",
        "getsiblingdb",
        "getcollectioninfos",
        "foreach",
        "pretty",
        "limit",
        "skip",
        "sort",
        "toarray",
        "explain",
        "printjson",
        "print",
        "map",
        "db",
        "getindexes",
        "version",
        "serverstatus",
        "hello",
        "hasnext",
        "next",
        "objectid",
        "isodate",
        "getdb",
        "getmongo",
        "size",
        "projection",
    ];
    if open {
        meaning.doubt("a part of the code is in a variable");
    }
    let mut found = false;
    for name in called(text) {
        let action = match name.to_lowercase().as_str() {
            "dropdatabase" => "dropDatabase",
            "drop" => "drop",
            "deletemany" | "deleteone" | "remove" | "findoneanddelete" | "bulkwrite" | "findandmodify" => "delete",
            "updatemany" | "updateone" | "replaceone" | "findoneandupdate" | "findoneandreplace" | "save"
            | "update" | "renamecollection" => "update",
            read if READS.contains(&read) => {
                found = true;
                continue;
            }
            _ => {
                meaning.doubt("a call in the code is not in the catalogue");
                continue;
            }
        };
        found = true;
        meaning.amount("mongodb", action, Target::Any, true, source);
    }
    let shown = text.trim_start().starts_with("show ") || text.trim_start().starts_with("use ");
    if !found && !shown {
        meaning.doubt("what the code does is not plain to see");
    }
}

/// PowerShell, by the names of its commands.
pub(super) fn powershell(meaning: &mut Meaning, text: &str) {
    const SOURCE: &str = "https://learn.microsoft.com/powershell/module/az.resources/";
    const COMMANDS: [(&str, &str, &str); 8] = [
        ("remove-azresourcegroup", "azure", "Microsoft.Resources/subscriptions/resourceGroups/delete"),
        ("remove-azsqldatabase", "azure", "Microsoft.Sql/servers/databases/delete"),
        ("remove-azsqlserver", "azure", "Microsoft.Sql/servers/delete"),
        ("remove-azstorageaccount", "azure", "Microsoft.Storage/storageAccounts/delete"),
        ("remove-azdisk", "azure", "Microsoft.Compute/disks/delete"),
        ("remove-azvm", "azure", "Microsoft.Compute/virtualMachines/delete"),
        ("remove-rdsdbinstance", "aws", "rds:DeleteDBInstance"),
        ("remove-item", MACHINE, "file:delete"),
    ];
    let lower = text.to_lowercase();
    let mut found = false;
    for (command, provider, action) in COMMANDS {
        if lower.contains(command) {
            found = true;
            meaning.amount(provider, action, Target::Any, true, SOURCE);
        }
    }
    let several = text.contains([';', '|', '&', '`', '$', '\n'])
        || text.split_whitespace().skip(1).any(|word| word.contains("-Az"));
    if !found || several {
        meaning.doubt("what PowerShell does there is not in the catalogue");
    }
}
