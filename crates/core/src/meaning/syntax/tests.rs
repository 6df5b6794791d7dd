use super::*;

fn lines(text: &str) -> Vec<String> {
    let script = cut(text);
    let line = |command: &Simple| {
        let words: Vec<String> = command.words.iter().flat_map(|raw| script.words(raw)).map(|word| word.text).collect();
        words.join(" ")
    };
    script.commands.iter().map(line).filter(|line| !line.is_empty()).collect()
}

#[test]
fn every_command_is_found_wherever_it_stands() {
    for (text, wanted) in [
        ("a && b || c; d | e |& f & g\nh", "a|b|c|d|e|f|g|h"),
        ("if a; then b; elif c; then d; else e; fi", "a|b|c|d|e"),
        ("for x in 1 2; do a $x; done", "a $x"),
        ("while read -r l; do a; done < f", "read -r l|a"),
        ("(cd x && a); { b; }", "cd x|a|b"),
        ("case $x in a|b) c;; (d) e;; *) f; esac; g", "c|e|f|g"),
        ("f() { a; }; f", "a|f"),
        ("function f { a; }\nf", "a|f"),
        ("a \"$(b \"$(c)\")\" `d`", "c|b $(…)|d|a $(…) $(…)"),
        ("a <(b) >(c)", "b|c|a <(…) <(…)"),
        ("X=1 Y='a b' a >out 2>&1", "a"),
        ("a 2>/dev/null &>log", "a"),
        ("[[ -f x && $y < z ]] && a", "a"),
        ("a # b\nc", "a|c"),
        ("a \\\n  b", "a b"),
        ("git commit -m \"$(cat <<'EOF'\nit's (not) a \"quote\nEOF\n)\" && b", "cat|git commit -m $(…)|b"),
        ("! a", "a"),
        ("time a", "a"),
        ("X=ab; a $X \"$X\" '$X'", "a ab ab $X"),
        ("X='a b'; $X c", "a b c"),
        ("X=1; X=2; a $X", "a $X"),
        ("for X in 1; do X=2; a $X; done", "a $X"),
        ("export D=x; a ${D}", "export D=x|a x"),
        ("a $'x\\ty'", "a x\ty"),
    ] {
        assert_eq!(lines(text).join("|"), wanted, "{text}");
    }
}

#[test]
fn inputs_are_told_apart() {
    let input = |text: &str| cut(text).commands.last().unwrap().input.clone();
    assert_eq!(input("a | b"), Input::Pipe(0));
    assert_eq!(input("(a; c) | b"), Input::Unknown);
    assert_eq!(input("a | while b; do c; done"), Input::Unknown);
    assert_eq!(input("a < f"), Input::File);
    assert_eq!(input("a"), Input::None);
    for text in ["a <<'E'\nx $y\nE", "a <<E\nx \\$y\nE\n", "a <<<'x $y'"] {
        let script = cut(text);
        let Input::Text(raw) = &script.commands[0].input else { panic!("{text}") };
        assert_eq!((script.word(raw).text.trim_end(), script.word(raw).open), ("x $y", false), "{text}");
    }
}

#[test]
fn what_does_not_end_or_is_too_much_is_in_doubt() {
    let long = "a".repeat(LONGEST + 1);
    let deep = format!("{}a{}", "$(".repeat(300), ")".repeat(300));
    let braces = "{ ".repeat(100_000);
    let round = "(".repeat(5_000);
    let ticks = "echo \"${".repeat(5_000);
    for text in ["echo 'a", "echo \"a", "echo $(a", "(a", "case x in", &long, &deep, &braces, &round, &ticks] {
        assert!(!cut(text).doubts.is_empty(), "{}", text.get(..40.min(text.len())).unwrap());
    }
}
