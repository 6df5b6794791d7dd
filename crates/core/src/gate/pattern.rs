//! Wildcards in text and in paths (floor 2).

/// Whether `text` is `pattern`, where `*` stands for any run of characters, spaces among them.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    glob(pattern, text, false)
}

/// The same, where `?` stands for any one character if `one`.
pub(super) fn glob(pattern: &str, text: &str, one: bool) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&c) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(&x) if x == c || (one && x == '?') => {
                p += 1;
                t += 1;
            }
            Some(_) | None => match retry {
                Some((after, from)) => {
                    retry = Some((after, from + 1));
                    p = after;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|&c| c == '*')
}

/// Whether an absolute path is covered by an absolute pattern in the way of `.gitignore`: `**` is any number of
/// folders, and a pattern that matches a folder covers what lies in it.
pub(super) fn covers(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').filter(|s| !s.is_empty()).collect();
    let path: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    // Beyond this no settings file goes, and matching stays quick whatever one holds.
    if pattern.len() > 64 || path.len() > 256 {
        return false;
    }
    let mut reach = vec![false; path.len() + 1];
    if let Some(first) = reach.first_mut() {
        *first = true;
    }
    for part in &pattern {
        let mut next = vec![false; path.len() + 1];
        let mut open = false;
        for (i, slot) in next.iter_mut().enumerate() {
            let here = reach.get(i).copied().unwrap_or(false);
            if *part == "**" {
                open = open || here;
                *slot = open;
            } else {
                let before = i.checked_sub(1).and_then(|j| Some(*reach.get(j)? && matches(part, path.get(j)?)));
                *slot = before.unwrap_or(false);
            }
        }
        reach = next;
    }
    reach.iter().skip(1).any(|&at| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_spans_spaces() {
        assert!(matches("git * main", "git push origin main"));
        assert!(!matches("git * main", "git push origin mainline"));
        assert!(matches("*", ""));
    }

    #[test]
    fn a_folder_covers_what_lies_in_it() {
        assert!(covers("/w/**/.env", "/w/a/b/.env"));
        assert!(covers("/w/**/.env", "/w/.env"));
        assert!(covers("/w/secrets", "/w/secrets/a/b"));
        assert!(covers("/w/secrets/**", "/w/secrets/a/b"));
        assert!(!covers("/w/*.env", "/w/a/x.env"));
        assert!(!covers("/w/secrets", "/w/other"));
    }
}
