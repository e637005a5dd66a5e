//! The comments that argue for unsafe code: where they are, and what they say.

/// The `# Safety` of the documentation above a line.
pub fn documented(lines: &[&str], line: usize) -> Option<String> {
    let mut above = lines[..line - 1].iter().rev().map(|line| line.trim());
    let mut documentation = Vec::new();
    for line in above.by_ref() {
        match line.strip_prefix("///") {
            Some(text) => documentation.push(text.trim()),
            // Attributes, over several lines perhaps, and comments stand between.
            None if line.is_empty() || line.ends_with([';', '}', '{']) => break,
            None => {}
        }
    }
    let mut lines = documentation.into_iter().rev();
    lines.by_ref().find(|line| *line == "# Safety")?;
    let text: Vec<&str> = lines
        .take_while(|line| !line.starts_with("# "))
        .skip_while(|line| line.is_empty())
        .collect();
    Some(text.join(" "))
}

/// The `// SAFETY:` above the statement that a line is part of, or at the begin of the block.
pub fn argued(lines: &[&str], line: usize) -> Option<String> {
    let mut at = line - 1;
    while at > 0 {
        let above = lines[at - 1].trim();
        if above.starts_with("//") {
            let first = (0..at)
                .rev()
                .find(|&before| !lines[before].trim().starts_with("//"))
                .map_or(0, |before| before + 1);
            if let Some(found) = safety(&lines[first..at]) {
                return Some(found);
            }
            at = first;
        } else if above.is_empty() || above.ends_with([';', '}', '{', ',']) {
            break;
        } else {
            at -= 1;
        }
    }
    let inside: Vec<&str> = lines[line..]
        .iter()
        .copied()
        .take_while(|line| line.trim().starts_with("//"))
        .collect();
    safety(&inside)
}

/// What a comment says after `SAFETY`.
fn safety(lines: &[&str]) -> Option<String> {
    let text: Vec<&str> = lines
        .iter()
        .map(|line| line.trim().trim_start_matches('/').trim())
        .collect();
    let from = text.iter().rposition(|line| line.starts_with("SAFETY"))?;
    let text = text[from..].join(" ");
    Some(text.split_once(':')?.1.trim().to_owned())
}

/// Takes the names of invariants off the end of an argument. (What comes after them argues for something else, such as an order.)
pub fn split(comment: &str) -> (Vec<String>, String) {
    let is_name =
        |name: &&str| name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase() || c == '-');
    for (open, _) in comment.match_indices('[') {
        let Some((names, _)) = comment[open + 1..].split_once(']') else {
            break;
        };
        let names: Vec<&str> = names.split(", ").collect();
        if names.iter().all(is_name) {
            let names = names.into_iter().map(str::to_owned).collect();
            return (names, comment[..open].trim().to_owned());
        }
    }
    (Vec::new(), comment.to_owned())
}

/// Up to the first full stop, which a word with a capital follows.
pub fn first_sentence(text: &str) -> &str {
    let ends = |(at, _): &(usize, &str)| {
        let next = text[at + 2..].chars().next();
        next.is_some_and(|next| next.is_uppercase() || next == '(' || next == '`')
    };
    match text.match_indices(". ").find(ends) {
        Some((at, _)) => &text[..=at],
        None => text,
    }
}
