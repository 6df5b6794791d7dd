//! The options of goose.

use super::Started;
use super::words::Words;

impl Started {
    /// aaif-goose/goose `crates/goose-cli/src/cli.rs`. No option says what may run; a variable does.
    pub(super) fn goose(&mut self, rest: &[&str]) {
        self.agent = Some("goose".to_owned());
        let mut words = Words::new(rest);
        while let Some(name) = words.name() {
            match name {
                "session" | "s" if words.read == 1 => {}
                "-n" | "--name" | "--id" | "--path" | "--max-turns" | "--with-builtin" => {
                    words.value();
                }
                "--debug" | "--history" => {}
                // A session that goes on has the mode that it had; what `run` does where it cannot ask is not documented.
                _ => self.unknown(name),
            }
        }
    }
}
