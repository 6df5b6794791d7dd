//! Recipes of a `Makefile` and scripts of a `package.json`, where they are plain to see (floor 2).

use crate::meaning::LONGEST;
use crate::meaning::forms::is_option;
use crate::meaning::interpret::Reader;
use crate::meaning::syntax::Word;
use crate::quote;

impl Reader<'_> {
    /// `make TARGET`: the recipe, if the folder's `Makefile` is simple.
    pub(in crate::meaning) fn make(&mut self, rest: &[Word]) {
        let shows = ["-n", "--dry-run", "--just-print", "-q", "--question", "-v", "--version", "-p"];
        if rest.iter().any(|word| shows.contains(&word.text.as_str())) {
            self.doubt("`make` may run commands even where it only shows them");
        }
        let plain = rest.iter().all(|word| !word.open && !is_option(&word.text));
        let targets: Vec<&str> =
            rest.iter().map(|word| word.text.as_str()).filter(|word| !word.contains('=')).collect();
        let Some(makefile) = self.around.makefile.as_deref().filter(|_| plain) else {
            self.doubt("what `make` runs is not in the text");
            return;
        };
        let first = [first_target(makefile).unwrap_or_default()];
        let targets = if targets.is_empty() { &first[..] } else { &targets[..] };
        for target in targets {
            self.target(makefile, target);
        }
    }

    fn target(&mut self, makefile: &str, target: &str) {
        if !self.following.insert(format!("make {target}")) {
            return;
        }
        let Some((needs, recipe)) = recipe(makefile, target) else {
            self.doubt(format!("what the target {} of `make` runs is not plain to see", quote::word(target)));
            return;
        };
        for need in needs {
            self.target(makefile, &need);
        }
        for line in recipe {
            let line = line.trim_start_matches(['@', '-', '+']).replace("$$", "\u{1}");
            // What a variable of the Makefile holds is taken for unknown.
            let line = line.replace("$(", "${").replace(')', "}").replace('\u{1}', "$");
            if line.contains("${") && line.matches('{').count() != line.matches('}').count() {
                self.doubt("a line of the recipe is not plain to see");
                continue;
            }
            self.script(&line);
        }
    }

    /// `npm run NAME`: the script of the folder's `package.json`.
    pub(in crate::meaning) fn package(&mut self, program: &str, rest: &[Word]) {
        let words: Vec<&str> = rest.iter().map(|word| word.text.as_str()).collect();
        let name = match words.as_slice() {
            ["run" | "run-script", name, ..] => *name,
            ["test" | "t", ..] => "test",
            ["start", ..] => "start",
            ["ls" | "list" | "view" | "outdated" | "why" | "-v" | "--version" | "whoami", ..] => return,
            [name, ..] if program != "npm" && self.around.scripts.contains_key(*name) => name,
            _ => {
                self.doubt(format!("what `{program}` runs is not in the text"));
                return;
            }
        };
        let Some(script) = self.around.scripts.get(name).cloned() else {
            self.doubt(format!("the script that `{program}` runs is not in the text"));
            return;
        };
        for part in [format!("pre{name}"), format!("post{name}")] {
            if self.around.scripts.contains_key(&part) {
                self.doubt("a script runs before or after it");
            }
        }
        if self.following.insert(format!("npm {name}")) {
            self.script(&script);
        }
    }
}

fn first_target(makefile: &str) -> Option<&str> {
    let rule = |line: &&str| !line.starts_with(['\t', '#', '.', ' ']) && line.contains(':') && !line.contains('=');
    makefile.lines().find(rule).and_then(|line| line.split(':').next()).map(str::trim)
}

/// What a target needs and runs; nothing, where the file does more than name commands.
fn recipe(makefile: &str, target: &str) -> Option<(Vec<String>, Vec<String>)> {
    let simple = |line: &str| {
        ![
            "include",
            "-include",
            "sinclude",
            "define",
            "ifeq",
            "ifneq",
            "ifdef",
            "ifndef",
            "else",
            "SHELL",
            ".ONESHELL",
            "MAKEFLAGS",
        ]
        .iter()
        .any(|word| line.starts_with(word))
            && !line.contains('%')
            && !line.contains("$(eval")
            && !line.contains("$(call")
    };
    if makefile.len() > LONGEST || !makefile.lines().filter(|line| !line.starts_with('\t')).all(simple) {
        return None;
    }
    let text = makefile.replace("\\\n", " ");
    let mut lines = text.lines();
    let head = lines.find(|line| {
        !line.starts_with(['\t', '#', ' '])
            && !line.contains(":=")
            && line.split(':').next().is_some_and(|names| names.split_whitespace().any(|name| name == target))
            && line.contains(':')
    })?;
    let (_, needs) = head.split_once(':')?;
    let (needs, inline) = needs.split_once(';').map_or((needs, None), |(needs, line)| (needs, Some(line.to_owned())));
    let needs: Vec<String> = needs.trim_start_matches(':').split_whitespace().map(str::to_owned).collect();
    let body = lines.take_while(|line| line.starts_with('\t') || line.trim().is_empty() || line.starts_with('#'));
    let mut recipe: Vec<String> = inline.into_iter().collect();
    recipe.extend(body.filter(|line| line.starts_with('\t')).map(|line| line.trim().to_owned()));
    // A target that is named twice has more than this.
    let heads = text.lines().filter(|line| {
        !line.starts_with(['\t', '#', '.'])
            && !line.contains(":=")
            && line.contains(':')
            && line.split(':').next().is_some_and(|names| names.split_whitespace().any(|name| name == target))
    });
    (heads.count() == 1).then_some((needs, recipe))
}
