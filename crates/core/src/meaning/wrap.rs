//! Programs that run another one: what they run is what counts (floor 2).

mod scripts;
mod table;

use super::forms::{is_option, values};
use super::interpret::{Given, Reader, Stdin, turns};
use super::syntax::Word;
use super::{MACHINE, Target};
use table::{PACKAGES, SHELLS, WRAPPERS, Wrapper};

/// Reads a program that runs another; false, if it is none.
pub(super) fn read(reader: &mut Reader<'_>, program: &str, rest: &[Word], given: &Given) -> bool {
    match program {
        _ if SHELLS.contains(&program) => shell(reader, program, rest, given),
        "fish" => shell(reader, program, rest, given),
        "env" => env(reader, rest, given),
        "command" => command(reader, rest, given),
        "eval" => joined(reader, rest, "what is evaluated is not in the text"),
        "source" | "." => reader.doubt("what a script does is not in the text"),
        "trap" => match rest.first() {
            Some(word) if rest.len() > 1 && !is_option(&word.text) => {
                joined(reader, std::slice::from_ref(word), "what a trap runs is not in the text")
            }
            Some(_) | None => {}
        },
        "xargs" => xargs(reader, rest, given),
        "parallel" => {
            joined(
                reader,
                &behind(rest, &["-j", "--jobs", "-a", "--arg-file", "-I"]),
                "what is run for each is not in the text",
            );
            reader.doubt("what `parallel` runs depends on its input");
        }
        "watch" => joined(reader, &behind(rest, &["-n", "--interval"]), "what is repeated is not in the text"),
        "su" | "runuser" => match ["-c", "--command"].iter().flat_map(|option| values(option, rest)).next() {
            Some(text) => joined(reader, &[text], "what is run is not in the text"),
            None => reader.doubt("it opens a shell"),
        },
        "script" => match ["-c", "--command"].iter().flat_map(|option| values(option, rest)).next() {
            Some(text) => joined(reader, &[text], "what is run is not in the text"),
            None => reader.doubt("it opens a shell"),
        },
        "flock" => {
            let after = behind(rest, &["-w", "--timeout", "-E"]);
            let after = after.get(1..).unwrap_or_default();
            match values("-c", after).first() {
                Some(text) => joined(reader, std::slice::from_ref(text), "what is run is not in the text"),
                None => run(reader, after, given),
            }
        }
        "ssh" => ssh(reader, rest),
        "find" | "fd" | "fdfind" => find(reader, program, rest, given),
        "docker" | "podman" | "nerdctl" | "docker-compose" => return container(reader, program, rest, given),
        _ => {
            let Some((wrapper, after)) = WRAPPERS.iter().find_map(|w| Some((w, after(w, program, rest)?))) else {
                return false;
            };
            wrapped(reader, wrapper, after, given);
        }
    }
    true
}

/// The words behind the words of a wrapper itself.
fn after<'w>(wrapper: &Wrapper, program: &str, rest: &'w [Word]) -> Option<&'w [Word]> {
    if wrapper.program != program {
        return None;
    }
    let mut at = 0;
    for wanted in wrapper.words {
        while rest.get(at).is_some_and(|word| is_option(&word.text) && word.text != *wanted) {
            let taken = rest.get(at).is_some_and(|word| wrapper.values.contains(&word.text.as_str()));
            at += if taken { 2 } else { 1 };
        }
        (rest.get(at)?.text == *wanted).then_some(())?;
        at += 1;
    }
    rest.get(at..)
}

fn wrapped(reader: &mut Reader<'_>, wrapper: &Wrapper, after: &[Word], given: &Given) {
    // `npx -c TEXT`
    if wrapper.program == "npx"
        && let Some(text) = ["-c", "--call"].iter().flat_map(|option| values(option, after)).next()
    {
        joined(reader, &[text], "what is run is not in the text");
        return;
    }
    let mut words = behind(after, wrapper.values);
    let own = wrapper.own.min(words.len());
    words.drain(..own);
    if words.first().is_some_and(|word| word.text == "--") {
        words.remove(0);
    }
    if wrapper.program == "chrt" || wrapper.program == "time" {
        // A number that an option took along.
        while words.first().is_some_and(|word| word.text.chars().all(|c| c.is_ascii_digit())) {
            words.remove(0);
        }
    }
    let Some(first) = words.first_mut() else {
        if !["sudo", "exec"].contains(&wrapper.program) || after.is_empty() {
            return reader.doubt(format!("what `{}` runs is not in the text", wrapper.program));
        }
        return;
    };
    let fetched = ["npx", "bunx", "uvx", "npm", "pnpm", "yarn", "bun", "pipx", "uv"].contains(&wrapper.program);
    if fetched {
        let plain = first.text.clone();
        let cut = plain.get(1..).and_then(|rest| rest.find('@')).map_or(plain.len(), |at| at + 1);
        let name = plain.get(..cut).unwrap_or(&plain).to_owned();
        let known = PACKAGES.iter().find(|(package, _)| *package == name).map(|(_, program)| (*program).to_owned());
        first.text = known.unwrap_or(name);
    }
    run(reader, &words, given);
}

fn run(reader: &mut Reader<'_>, words: &[Word], given: &Given) {
    // `sudo X=1 program`
    let set = words.iter().take_while(|word| is_set(&word.text)).count();
    let changed = words.iter().take(set).any(|word| turns(word.text.split('=').next().unwrap_or_default()));
    let words = words.get(set..).unwrap_or_default();
    if words.is_empty() {
        return reader.doubt("what is run is not in the text");
    }
    reader.command(words, &Given { stdin: given.stdin.clone(), changed: given.changed || changed });
}

fn is_set(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// The words behind options.
fn behind(rest: &[Word], values: &[&str]) -> Vec<Word> {
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        if word.text == "--" {
            at += 1;
            break;
        }
        if !is_option(&word.text) {
            break;
        }
        at += if values.contains(&word.text.as_str()) { 2 } else { 1 };
    }
    rest.get(at..).unwrap_or_default().to_vec()
}

/// Words that a program joins to a text for a shell.
fn joined(reader: &mut Reader<'_>, words: &[Word], unknown: &str) {
    if words.is_empty() {
        return;
    }
    if words.iter().any(|word| word.open) {
        reader.doubt(unknown);
    }
    let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    reader.script(&text);
}

/// `sh -c TEXT`, `bash -lc TEXT`, `… | sh`.
fn shell(reader: &mut Reader<'_>, program: &str, rest: &[Word], given: &Given) {
    let (mut at, mut text) = (0, false);
    while let Some(word) = rest.get(at) {
        let option = word.text.as_str();
        match option {
            "-o" | "+o" | "-O" | "+O" | "--rcfile" | "--init-file" => at += 2,
            "--" | "-" => {
                at += 1;
                break;
            }
            "--command" => {
                text = true;
                at += 1;
            }
            "--version" | "--help" => return,
            _ if option.starts_with("--") || option.starts_with('+') => at += 1,
            _ if is_option(option) => {
                // `-euo pipefail -c`
                text |= option.contains('c');
                at += if option.ends_with('o') { 2 } else { 1 };
            }
            _ => break,
        }
    }
    match (text, rest.get(at)) {
        (true, Some(word)) => joined(reader, std::slice::from_ref(word), "what the shell is to run is not in the text"),
        (true, None) => reader.doubt("what the shell is to run is not in the text"),
        (false, Some(_)) => reader.doubt("what a script does is not in the text"),
        (false, None) => match &given.stdin {
            Stdin::Text(word) => {
                let word = word.clone();
                joined(reader, &[word], "what is piped into the shell is not in the text");
            }
            Stdin::None | Stdin::Unknown => reader.doubt(format!("what is piped into `{program}` is not in the text")),
        },
    }
}

fn env(reader: &mut Reader<'_>, rest: &[Word], given: &Given) {
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        match word.text.as_str() {
            "-u" | "--unset" | "-C" | "--chdir" => at += 2,
            "-S" | "--split-string" => {
                let held = rest.get(at + 1..).unwrap_or_default();
                return joined(reader, held, "what is run is not in the text");
            }
            "--" => {
                at += 1;
                break;
            }
            text if text.starts_with("-S") || text.starts_with("--split-string=") => {
                let held = text.trim_start_matches("--split-string=").trim_start_matches("-S").to_owned();
                let mut words = vec![Word { text: held, open: word.open }];
                words.extend(rest.get(at + 1..).unwrap_or_default().iter().cloned());
                return joined(reader, &words, "what is run is not in the text");
            }
            text if is_option(text) || text == "-" => at += 1,
            _ => break,
        }
    }
    let words = rest.get(at..).unwrap_or_default();
    // Alone it prints the environment.
    if words.iter().any(|word| !is_set(&word.text)) {
        run(reader, words, given);
    }
}

fn command(reader: &mut Reader<'_>, rest: &[Word], given: &Given) {
    match rest.first().map(|word| word.text.as_str()) {
        Some("-v" | "-V") | None => {}
        Some(_) => run(reader, &behind(rest, &[]), given),
    }
}

/// `xargs PROGRAM …`: what is read goes behind the words, or in the place of `{}`.
fn xargs(reader: &mut Reader<'_>, rest: &[Word], given: &Given) {
    let known = [
        "-I",
        "-n",
        "-P",
        "-L",
        "-a",
        "-d",
        "-E",
        "-s",
        "--max-args",
        "--max-procs",
        "--arg-file",
        "--delimiter",
        "--replace",
        "--max-lines",
    ];
    let mut words = behind(rest, &known);
    if words.is_empty() {
        return;
    }
    let mark = values("-I", rest).first().map_or_else(|| "{}".to_owned(), |word| word.text.clone());
    let mut placed = false;
    for word in &mut words {
        if word.text.contains(&mark) {
            (word.open, placed) = (true, true);
        }
    }
    if !placed {
        words.push(Word { text: "…".to_owned(), open: true });
    }
    let before = reader.meaning.clone();
    reader.command(&words, &Given { stdin: Stdin::Unknown, changed: given.changed });
    // A line that is run as it is read.
    if before == reader.meaning && words.first().is_some_and(|word| SHELLS.contains(&word.text.as_str())) {
        reader.doubt("what `xargs` reads is not in the text");
    }
}

fn ssh(reader: &mut Reader<'_>, rest: &[Word]) {
    const VALUES: [&str; 19] = [
        "-i", "-p", "-l", "-o", "-F", "-J", "-L", "-R", "-D", "-b", "-c", "-m", "-S", "-W", "-w", "-E", "-e", "-I",
        "-B",
    ];
    let words = behind(rest, &VALUES);
    let command = words.get(1..).unwrap_or_default();
    if command.is_empty() {
        reader.doubt("it opens a shell on another machine");
    } else {
        joined(reader, &behind(command, &VALUES), "what is run on another machine is not in the text");
    }
}

/// `find … -delete`, `find … -exec PROGRAM {} \;`, `fd -x PROGRAM`.
fn find(reader: &mut Reader<'_>, program: &str, rest: &[Word], given: &Given) {
    let source = "https://www.gnu.org/software/findutils/manual/html_mono/find.html";
    let runs = ["-exec", "-execdir", "-ok", "-okdir"];
    let own = if program == "find" { &runs[..] } else { &["-x", "--exec", "-X", "--exec-batch"][..] };
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        at += 1;
        let text = word.text.as_str();
        if own.contains(&text) {
            let mut words: Vec<Word> = Vec::new();
            while let Some(next) = rest.get(at).filter(|next| next.text != ";") {
                at += 1;
                let batch = next.text == "+" && words.last().is_some_and(|word| word.text == "{}");
                if batch {
                    break;
                }
                words.push(next.clone());
            }
            words.iter_mut().filter(|word| word.text.contains("{}")).for_each(|word| word.open = true);
            run(reader, &words, given);
            continue;
        }
        match text {
            "-delete" if program == "find" => {
                reader.meaning.amount(MACHINE, "file:delete", Target::Any, true, source);
            }
            "-fprint" | "-fls" | "-fprintf" | "-fprint0" => {
                reader.meaning.amount(MACHINE, "file:overwrite", Target::Any, true, source);
            }
            _ if word.open && text.starts_with('$') && at > 1 => {
                reader.doubt("an expression of `find` is in a variable")
            }
            _ => {}
        }
    }
}

/// `docker run IMAGE …`, `docker exec CONTAINER …`, `docker compose run SERVICE …`.
fn container(reader: &mut Reader<'_>, program: &str, rest: &[Word], given: &Given) -> bool {
    const VALUES: [&str; 46] = [
        "-H",
        "--host",
        "-c",
        "--context",
        "--config",
        "-l",
        "--log-level",
        "-f",
        "--file",
        "-p",
        "--project-name",
        "--profile",
        "--env-file",
        "--project-directory",
        "-v",
        "--volume",
        "-w",
        "--workdir",
        "-e",
        "--env",
        "-u",
        "--user",
        "--name",
        "--network",
        "--net",
        "--mount",
        "--entrypoint",
        "--platform",
        "-m",
        "--memory",
        "--cpus",
        "--label",
        "--publish",
        "--add-host",
        "--dns",
        "--gpus",
        "-h",
        "--hostname",
        "--restart",
        "--volumes-from",
        "--ulimit",
        "--cap-add",
        "--device",
        "--pull",
        "--shm-size",
        "--security-opt",
    ];
    let words = behind(rest, &VALUES);
    let mut words = words.as_slice();
    if program != "docker-compose"
        && words.first().is_some_and(|word| word.text == "compose" || word.text == "container")
    {
        words = words.get(1..).unwrap_or_default();
    }
    let inner = behind(words, &VALUES);
    let Some((verb, after)) = inner.split_first() else { return false };
    if !["run", "exec", "create"].contains(&verb.text.as_str()) {
        return false;
    }
    let words = behind(after, &VALUES);
    let entry = values("--entrypoint", after).into_iter().next();
    let Some((what, command)) = words.split_first() else {
        reader.doubt(format!("what `{program}` runs is not in the text"));
        return true;
    };
    let mut all: Vec<Word> = entry.into_iter().collect();
    // An image whose program is known runs that program.
    let image = what.text.rsplit('/').next().and_then(|name| name.split([':', '@']).next()).unwrap_or_default();
    let known = match image {
        "terraform" | "opentofu" => Some("terraform"),
        "aws-cli" => Some("aws"),
        "kubectl" => Some("kubectl"),
        "helm" => Some("helm"),
        _ => None,
    };
    if all.is_empty() && verb.text != "exec" {
        all.extend(known.map(Word::known));
    }
    all.extend(command.iter().cloned());
    if all.is_empty() {
        reader.doubt("what the image runs is not in the text");
    } else {
        run(reader, &all, given);
    }
    true
}
