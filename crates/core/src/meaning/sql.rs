//! SQL: by a grammar where it parses, by its first words where it does not, else anything (floor 2).
//!
//! What the grammar does not take is no less destructive for that: `DROP DATABASE … WITH (FORCE)` is SQL too.

use sqlparser::dialect::{BigQueryDialect, Dialect as Grammar, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::{DEEPEST, LONGEST, Meaning, Target};
use crate::catalogue;

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Postgres,
    Mysql,
    Sqlite,
    Bigquery,
}

/// How deep the parser may go.
const RECURSION: usize = 40;

/// Functions that read, compute or format, and change nothing (postgresql.org/docs/current/functions.html,
/// dev.mysql.com/doc/refman/8.4/en/functions.html).
const FUNCTIONS: [&str; 72] = [
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "now",
    "current_date",
    "current_timestamp",
    "current_user",
    "current_database",
    "version",
    "coalesce",
    "nullif",
    "greatest",
    "least",
    "lower",
    "upper",
    "length",
    "char_length",
    "substring",
    "substr",
    "trim",
    "ltrim",
    "rtrim",
    "replace",
    "concat",
    "concat_ws",
    "left",
    "right",
    "round",
    "floor",
    "ceil",
    "abs",
    "mod",
    "random",
    "date_trunc",
    "date_part",
    "extract",
    "to_char",
    "to_date",
    "to_timestamp",
    "date",
    "date_format",
    "datediff",
    "age",
    "interval",
    "cast",
    "array_agg",
    "string_agg",
    "group_concat",
    "json_agg",
    "jsonb_agg",
    "json_build_object",
    "jsonb_build_object",
    "row_number",
    "rank",
    "dense_rank",
    "lag",
    "lead",
    "unnest",
    "generate_series",
    "pg_size_pretty",
    "pg_database_size",
    "pg_total_relation_size",
    "pg_relation_size",
    "exists",
    "in",
    "any",
    "all",
    "values",
    "over",
    "filter",
];

/// Statements that change no data that is there, by their first words.
const HARMLESS: [&str; 27] = [
    "SHOW",
    "SET",
    "BEGIN",
    "START TRANSACTION",
    "COMMIT",
    "ROLLBACK",
    "END",
    "SAVEPOINT",
    "RELEASE",
    "USE",
    "ANALYZE",
    "DESCRIBE",
    "DESC",
    "LISTEN",
    "FETCH",
    "CLOSE",
    "RESET",
    "CREATE TABLE",
    "CREATE INDEX",
    "CREATE UNIQUE INDEX",
    "CREATE SCHEMA",
    "CREATE DATABASE",
    "CREATE EXTENSION",
    "CREATE SEQUENCE",
    "CREATE TYPE",
    "CREATE VIEW",
    "PRAGMA",
];

/// Reads a text of SQL. `open` says that not all of it is known.
pub(super) fn read(meaning: &mut Meaning, dialect: Dialect, text: &str, open: bool, source: &str) {
    if open {
        meaning.doubt("a part of the SQL is in a variable");
    }
    if text.len() > LONGEST || deep(text) {
        return unread(meaning, dialect, source);
    }
    let mut plain = String::with_capacity(text.len());
    for line in text.lines() {
        let begun = line.trim_start();
        if begun.starts_with('\\') {
            client(meaning, begun);
        } else {
            plain.push_str(line);
            plain.push('\n');
        }
    }
    let grammar = grammar(dialect);
    let Ok(tokens) = Tokenizer::new(&*grammar, &plain).tokenize() else { return unread(meaning, dialect, source) };
    let mut found = false;
    for statement in tokens.split(|token| *token == Token::SemiColon) {
        let all: Vec<Token> = statement.to_vec();
        let words: Vec<&Token> =
            statement.iter().filter(|token| !matches!(token, Token::Whitespace(_) | Token::EOF)).collect();
        if words.is_empty() {
            continue;
        }
        found = true;
        one(meaning, dialect, &*grammar, all, &words, source);
    }
    if !found && plain.trim().is_empty() && !text.lines().any(|line| line.trim_start().starts_with('\\')) {
        meaning.doubt("there is no SQL in the text");
    }
}

/// SQL that is not in the call: anything that the provider's SQL can do.
pub(super) fn unread(meaning: &mut Meaning, dialect: Dialect, source: &str) {
    let provider = match dialect {
        Dialect::Postgres => "postgres",
        Dialect::Mysql => "mysql",
        Dialect::Sqlite | Dialect::Bigquery => "",
    };
    for action in catalogue::actions().into_iter().filter(|action| action.provider == provider) {
        meaning.amount(provider, &action.action, Target::Any, false, source);
    }
    if dialect == Dialect::Bigquery {
        for action in ["bigquery.tables.updateData", "bigquery.tables.delete", "bigquery.datasets.delete"] {
            meaning.amount("google", action, Target::Any, false, source);
        }
    }
    meaning.doubt("what the SQL does is not known");
}

fn deep(text: &str) -> bool {
    let (mut depth, mut most) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most > DEEPEST
}

fn grammar(dialect: Dialect) -> Box<dyn Grammar> {
    match dialect {
        Dialect::Postgres => Box::new(PostgreSqlDialect {}),
        Dialect::Mysql => Box::new(MySqlDialect {}),
        Dialect::Sqlite => Box::new(SQLiteDialect {}),
        Dialect::Bigquery => Box::new(BigQueryDialect {}),
    }
}

/// A command of the client itself (postgresql.org/docs/current/app-psql.html).
fn client(meaning: &mut Meaning, line: &str) {
    const SHOWS: [&str; 9] = ["\\l", "\\q", "\\x", "\\timing", "\\echo", "\\conninfo", "\\pset", "\\encoding", "\\?"];
    let name = line.split_whitespace().next().unwrap_or_default();
    if name.starts_with("\\d") || SHOWS.contains(&name) {
        return;
    }
    meaning.doubt("a command of the client in it runs or reads something else");
}

/// One statement.
fn one(
    meaning: &mut Meaning,
    dialect: Dialect,
    grammar: &dyn Grammar,
    all: Vec<Token>,
    words: &[&Token],
    source: &str,
) {
    let upper: Vec<String> = words.iter().map(|token| keyword(token)).collect();
    let starts = |text: &str| {
        let wanted: Vec<&str> = text.split(' ').collect();
        upper.len() >= wanted.len() && wanted.iter().zip(&upper).all(|(wanted, word)| wanted == word)
    };
    let mut parser = Parser::new(grammar).with_recursion_limit(RECURSION).with_tokens(all);
    let parsed = parser.parse_statement().is_ok() && parser.peek_token().token == Token::EOF;
    let heads: [(&str, &str); 16] = [
        ("DROP DATABASE", "DROP DATABASE"),
        ("DROP SCHEMA", if dialect == Dialect::Mysql { "DROP DATABASE" } else { "DROP SCHEMA" }),
        ("DROP TABLE", "DROP TABLE"),
        ("DROP TEMPORARY TABLE", "DROP TABLE"),
        ("DROP FOREIGN TABLE", "DROP TABLE"),
        ("DROP MATERIALIZED VIEW", "DROP TABLE"),
        ("DROP OWNED", "DROP TABLE"),
        ("DROP TABLESPACE", "DROP TABLE"),
        ("TRUNCATE", "TRUNCATE"),
        ("DELETE", "DELETE"),
        ("UPDATE", "UPDATE"),
        ("REPLACE", "UPDATE"),
        ("MERGE", "UPDATE"),
        ("CREATE OR REPLACE TABLE", "DROP TABLE"),
        ("RENAME TABLE", "UPDATE"),
        ("LOAD DATA", "UPDATE"),
    ];
    if let Some((_, action)) = heads.iter().find(|(head, _)| starts(head)) {
        amount(meaning, dialect, action, source);
        if starts("MERGE") {
            amount(meaning, dialect, "DELETE", source);
        }
        return;
    }
    let explains = starts("EXPLAIN");
    if explains && upper.iter().take(6).all(|word| word != "ANALYZE" && word != "ANALYSE") && parsed {
        return;
    }
    if starts("DROP VIEW") || starts("DROP INDEX") {
        return;
    }
    // What a statement holds in front of, or within, its own: `WITH gone AS (DELETE …)`, `EXPLAIN ANALYZE DELETE`.
    let mut inner = false;
    if ["WITH", "SELECT", "VALUES", "TABLE", "EXPLAIN", "INSERT", "CREATE", "(", "PREPARE"]
        .iter()
        .any(|head| starts(head))
    {
        for (at, word) in upper.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| upper.get(at)).map_or("", String::as_str);
            let after = upper.get(at + 1).map_or("", String::as_str);
            let action = match word.as_str() {
                "DELETE" if after == "FROM" && before != "ON" => "DELETE",
                "UPDATE" if !["FOR", "ON", "KEY"].contains(&before) => "UPDATE",
                "UPDATE" if starts("INSERT") && ["DO", "KEY"].contains(&before) => "UPDATE",
                _ => continue,
            };
            inner = true;
            amount(meaning, dialect, action, source);
        }
    }
    let insert = starts("INSERT");
    let selects = ["SELECT", "WITH", "VALUES", "TABLE", "EXPLAIN"].iter().any(|head| starts(head));
    if !parsed || !(selects || insert || HARMLESS.iter().any(|head| starts(head))) {
        if !inner {
            return unread(meaning, dialect, source);
        }
        return;
    }
    if starts("SET") && upper.iter().any(|word| word == "GLOBAL" || word == "PERSIST") {
        meaning.doubt("it sets how the server works");
    }
    for (at, word) in words.iter().enumerate() {
        let Token::Word(name) = word else { continue };
        let called = words.get(at + 1).is_some_and(|next| **next == Token::LParen);
        // A table's columns follow its name in `INSERT INTO t (…)` and `CREATE TABLE t (…)`.
        let before = at.checked_sub(1).and_then(|at| upper.get(at)).map_or("", String::as_str);
        let listed = ["INTO", "TABLE", "EXISTS", "AS", "ON", "USING", "KEY", "REFERENCES", "WITH", ","]
            .contains(&before)
            && !selects
            || (starts("WITH") && (before == "WITH" || before == ","))
            || starts("CREATE TABLE");
        let plain = name.value.to_lowercase();
        let keyword = [
            "AND", "OR", "NOT", "WHERE", "FROM", "SELECT", "ON", "THEN", "WHEN", "ELSE", "BY", "AS", "UNION", "HAVING",
            "JOIN", "LATERAL", "CONFLICT", "USING", "DISTINCT",
        ];
        if called
            && !listed
            && !FUNCTIONS.contains(&plain.as_str())
            && !keyword.contains(&name.value.to_uppercase().as_str())
        {
            return unread(meaning, dialect, source);
        }
    }
}

fn keyword(token: &Token) -> String {
    if let Token::Word(word) = token
        && word.quote_style.is_none()
    {
        return word.value.to_uppercase();
    }
    token.to_string()
}

fn amount(meaning: &mut Meaning, dialect: Dialect, action: &str, source: &str) {
    match dialect {
        Dialect::Postgres => meaning.amount("postgres", action, Target::Any, true, source),
        Dialect::Mysql => meaning.amount("mysql", action, Target::Any, true, source),
        Dialect::Sqlite => meaning.doubt(format!("it does `{action}` on a database that is not in the catalogue")),
        Dialect::Bigquery => {
            let action = match action {
                "DROP TABLE" => "bigquery.tables.delete",
                "DROP SCHEMA" | "DROP DATABASE" => "bigquery.datasets.delete",
                _ => "bigquery.tables.updateData",
            };
            meaning.amount("google", action, Target::Any, true, source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions(dialect: Dialect, text: &str) -> (String, bool) {
        let mut meaning = Meaning::default();
        read(&mut meaning, dialect, text, false, "https://example.com");
        let mut sure: Vec<String> = meaning.amounts.iter().filter(|a| a.sure).map(|a| a.action.clone()).collect();
        sure.dedup();
        (sure.join("+"), meaning.doubts.is_empty())
    }

    #[test]
    fn statements_amount_to_what_they_destroy() {
        for (text, wanted, whole) in [
            ("DROP DATABASE app WITH (FORCE)", "DROP DATABASE", true),
            ("drop schema public cascade", "DROP SCHEMA", true),
            ("SELECT 1; /* ; */ DROP TABLE a, b", "DROP TABLE", true),
            ("-- DROP TABLE x\nSELECT 'DROP TABLE x'", "", true),
            ("DROP OWNED BY app", "DROP TABLE", true),
            ("WITH gone AS (DELETE FROM a RETURNING *) SELECT count(*) FROM gone", "DELETE", true),
            ("EXPLAIN ANALYZE DELETE FROM a", "DELETE", true),
            ("EXPLAIN DELETE FROM a", "", true),
            ("UPDATE a SET b = NULL", "UPDATE", true),
            ("INSERT INTO a (b) VALUES (1) ON CONFLICT (b) DO UPDATE SET b = 2", "UPDATE", true),
            ("INSERT INTO a (b) VALUES (1)", "", true),
            ("SELECT count(*), max(b) FROM a WHERE b IN (1, 2) FOR UPDATE", "", true),
            ("SELECT dblink_exec('DROP TABLE x')", "", false),
            ("SELECT pg_terminate_backend(1)", "", false),
            ("DO $$ BEGIN EXECUTE 'DROP TABLE x'; END $$", "", false),
            ("CALL wipe()", "", false),
            ("ALTER TABLE a DROP COLUMN b", "", false),
            ("COPY a FROM PROGRAM 'x'", "", false),
            ("\\! rm -rf /", "", false),
            ("\\dt", "", true),
            ("DROPTABLE a", "", false),
            ("BEGIN; TRUNCATE a; COMMIT", "TRUNCATE", true),
            ("SELECT (((1", "", false),
        ] {
            assert_eq!(actions(Dialect::Postgres, text), (wanted.to_owned(), whole), "{text}");
        }
        assert_eq!(actions(Dialect::Mysql, "DROP SCHEMA shop").0, "DROP DATABASE");
        assert_eq!(actions(Dialect::Mysql, "REPLACE INTO a VALUES (1)").0, "UPDATE");
        assert_eq!(actions(Dialect::Bigquery, "DELETE FROM a.b WHERE true").0, "bigquery.tables.updateData");
        assert_eq!(actions(Dialect::Sqlite, "DROP TABLE a"), (String::new(), false));
        let deep = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
        assert!(!actions(Dialect::Postgres, &deep).1);
        let deep = format!("SELECT {}1{}", "(".repeat(150), ")".repeat(150));
        assert!(!actions(Dialect::Postgres, &deep).1);
    }
}
