//! What is piped into a command, where that is in the text (floor 2).

use super::Stdin;
use crate::meaning::syntax::{Input, Raw, Script, Simple, Word};

/// What a command reads.
pub(super) fn stdin(script: &Script, input: &Input) -> Stdin {
    let text = |raw: &Raw| Stdin::Text(script.word(raw));
    match input {
        Input::None => Stdin::None,
        Input::Text(raw) => text(raw),
        Input::File | Input::Unknown => Stdin::Unknown,
        Input::Pipe(number) => script.commands.get(*number).map_or(Stdin::Unknown, |from| printed(script, from)),
    }
}

/// What a command prints, where that is in the text.
fn printed(script: &Script, command: &Simple) -> Stdin {
    let words: Vec<Word> = command.words.iter().flat_map(|raw| script.words(raw)).collect();
    let Some((program, rest)) = words.split_first() else { return Stdin::Unknown };
    let joined = |words: &[Word]| Word {
        text: words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "),
        open: words.iter().any(|word| word.open),
    };
    match (program.text.as_str(), rest) {
        ("echo", _) => {
            let flags =
                rest.iter().take_while(|word| ["-n", "-e", "-E", "-ne", "-en"].contains(&word.text.as_str())).count();
            let mut word = joined(rest.get(flags..).unwrap_or_default());
            word.text = word.text.replace("\\n", "\n");
            Stdin::Text(word)
        }
        ("printf", [format, values @ ..]) => {
            let mut word = format.clone();
            word.open |= word.text.contains('%') && (values.iter().any(|value| value.open) || values.len() != 1);
            if let ([value], true) = (values, word.text.contains("%s")) {
                word.text = word.text.replacen("%s", &value.text, 1);
            }
            word.text = word.text.replace("\\r", "").replace("\\n", "\n");
            Stdin::Text(word)
        }
        ("cat", []) => match &command.input {
            Input::Text(raw) => Stdin::Text(script.word(raw)),
            Input::None | Input::File | Input::Pipe(_) | Input::Unknown => Stdin::Unknown,
        },
        _ => Stdin::Unknown,
    }
}
