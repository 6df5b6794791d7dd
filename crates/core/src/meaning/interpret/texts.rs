//! Texts in other languages than a shell's: commands of Redis, code, PowerShell (floor 2).

use super::{Given, Reader, Stdin};
use crate::meaning::forms::{self, values};
use crate::meaning::syntax::Word;
use crate::meaning::{LONGEST, Target, code};

impl Reader<'_> {
    /// What is sent over a bare connection: lines for Redis, or nobody knows.
    pub(super) fn raw(&mut self, rest: &[Word], stdin: &Stdin) {
        let port = rest.iter().any(|word| word.text == "6379" || word.text.ends_with(":6379"));
        match stdin {
            Stdin::Text(text) if port && !text.open => self.redis_lines(&text.text),
            Stdin::Text(_) | Stdin::None | Stdin::Unknown => {
                self.doubt("what is sent over the connection is not known")
            }
        }
    }

    pub(super) fn redis_lines(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<Word> = line.split_whitespace().map(Word::known).collect();
            self.redis(&words, false);
        }
    }

    /// A command of Redis (redis.io/docs/latest/commands).
    pub(super) fn redis(&mut self, words: &[Word], scripted: bool) {
        const SOURCE: &str = "https://redis.io/docs/latest/commands/";
        const READS: [&str; 45] = [
            "GET",
            "MGET",
            "STRLEN",
            "EXISTS",
            "TTL",
            "PTTL",
            "TYPE",
            "KEYS",
            "SCAN",
            "SSCAN",
            "HSCAN",
            "ZSCAN",
            "HGET",
            "HGETALL",
            "HKEYS",
            "HVALS",
            "HLEN",
            "HMGET",
            "LRANGE",
            "LLEN",
            "LINDEX",
            "SMEMBERS",
            "SCARD",
            "SISMEMBER",
            "ZRANGE",
            "ZCARD",
            "ZSCORE",
            "ZRANK",
            "INFO",
            "PING",
            "DBSIZE",
            "TIME",
            "ECHO",
            "LASTSAVE",
            "MEMORY",
            "XRANGE",
            "XLEN",
            "GETRANGE",
            "OBJECT",
            "DUMP",
            "RANDOMKEY",
            "COMMAND",
            "SLOWLOG",
            "ROLE",
            "XINFO",
        ];
        let Some(first) = words.first() else { return };
        if first.open || scripted {
            self.possible("redis", SOURCE, "the command of Redis is not in the text");
            return;
        }
        let name = first.text.to_uppercase();
        let action = match name.as_str() {
            "FLUSHALL" => "FLUSHALL",
            "FLUSHDB" | "SWAPDB" => "FLUSHDB",
            "DEL" | "UNLINK" | "GETDEL" | "HDEL" | "LPOP" | "RPOP" | "SPOP" | "ZREM" | "SREM" | "LREM" | "LTRIM"
            | "XTRIM" | "XDEL" | "EXPIRE" | "PEXPIRE" | "EXPIREAT" | "PEXPIREAT" | "MOVE" | "MIGRATE" => "DEL",
            "SET" | "MSET" | "GETSET" | "SETEX" | "PSETEX" | "SETRANGE" | "RENAME" | "COPY" | "RESTORE" | "HSET"
            | "HMSET" | "LSET" | "SORT" | "SDIFFSTORE" | "SINTERSTORE" | "SUNIONSTORE" | "ZUNIONSTORE" => "SET",
            "REPLICAOF" | "SLAVEOF" => "REPLICAOF",
            other if READS.contains(&other) => return,
            _ => {
                self.possible("redis", SOURCE, "this command of Redis is not in the catalogue");
                return;
            }
        };
        self.meaning.amount("redis", action, Target::Any, true, SOURCE);
    }

    /// Text that an interpreter runs.
    pub(super) fn code(&mut self, program: &str, rest: &[Word], context: &Given) {
        let Some(kind) = code::interpreter(program) else { return };
        match code::held(&kind, rest) {
            code::Held::Text(text) => self.snippet(&text.text, text.open),
            code::Held::Module(words) => self.command(&words, context),
            code::Held::File(name, words) => {
                let base = name.text.rsplit('/').next().unwrap_or_default().to_owned();
                if name.open
                    || forms::of(&base).is_empty()
                    || !["manage.py", "artisan", "rake", "rails"].contains(&base.as_str())
                {
                    self.doubt(format!("what a script of `{program}` does is not in the text"));
                } else {
                    self.client(&base, &base, &words, context);
                }
            }
            code::Held::Stdin => match &context.stdin {
                Stdin::Text(text) => self.snippet(&text.text.clone(), text.open),
                Stdin::None | Stdin::Unknown => self.doubt(format!("what `{program}` is to run is not in the text")),
            },
            code::Held::Nothing => {}
        }
    }

    /// Code in some language: the calls by name that are known, and the texts in it.
    fn snippet(&mut self, text: &str, open: bool) {
        if text.len() > LONGEST {
            self.doubt("it is longer than 64 KiB");
            return;
        }
        if open {
            self.doubt("a part of the code is in a variable");
        }
        code::read(self, text);
    }

    pub(super) fn powershell(&mut self, rest: &[Word]) {
        let held = ["-Command", "-c", "-command"].iter().flat_map(|option| values(option, rest)).next();
        match held {
            Some(text) if !text.open => code::powershell(&mut self.meaning, &text.text),
            Some(_) | None => self.doubt("what PowerShell is to run is not in the text"),
        }
    }
}
