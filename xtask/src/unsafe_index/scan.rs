//! Finds unsafe code in a source, and the comments that argue for it.
//!
//! Tokens are all that it looks at, so the body of a macro is as good as any other code; and lines, for the comments, which are no tokens.

use anyhow::{anyhow, Result};
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use super::comments;

/// A piece of unsafe code.
#[derive(Debug, PartialEq, Eq)]
pub struct Site {
    /// Where it is, from 1.
    pub line: usize,
    /// The function, or what else it is in.
    pub item: String,
    pub kind: Kind,
    /// The invariants that it rests on.
    pub reasons: Vec<String>,
    /// The first sentence of its argument; empty if there is none.
    pub argument: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Block,
    Impl,
    Function,
    Trait,
    Extern,
    Attribute,
    Assembly,
}

impl Kind {
    pub const ALL: [Kind; 7] = [
        Kind::Block,
        Kind::Impl,
        Kind::Function,
        Kind::Trait,
        Kind::Extern,
        Kind::Attribute,
        Kind::Assembly,
    ];

    pub fn what(self) -> &'static str {
        match self {
            Kind::Block => "block",
            Kind::Impl => "impl",
            Kind::Function => "fn",
            Kind::Trait => "trait",
            Kind::Extern => "extern block",
            Kind::Attribute => "attribute",
            Kind::Assembly => "assembly",
        }
    }

    /// What argues for it.
    pub fn wanted(self) -> &'static str {
        match self {
            Kind::Function | Kind::Trait => "`# Safety` in its documentation",
            _ => "`// SAFETY:` comment",
        }
    }
}

/// What a function that is `unsafe` rests on, and a trait: on what they ask for.
const ASKED_OF_CALLERS: &str = "CALLER";
const ASKED_OF_IMPLEMENTORS: &str = "PROMISE";

/// All unsafe code of a source, but for tests.
pub fn sites(text: &str) -> Result<Vec<Site>> {
    Scan::of(text).map(|scan| scan.found)
}

/// The modules, in files of their own, that are there for tests only.
pub fn test_modules(text: &str) -> Result<Vec<String>> {
    Scan::of(text).map(|scan| scan.tests)
}

/// What a brace group that is about to come belongs to.
#[derive(Clone)]
struct Part {
    name: String,
    /// It implements a trait, which is where what it asks of callers is written.
    of_a_trait: bool,
}

struct Scan<'a> {
    lines: Vec<&'a str>,
    path: Vec<Part>,
    found: Vec<Site>,
    tests: Vec<String>,
}

impl<'a> Scan<'a> {
    fn of(text: &'a str) -> Result<Self> {
        let tokens: TokenStream = text.parse().map_err(|error: proc_macro2::LexError| {
            anyhow!("line {}: {error}", error.span().start().line)
        })?;
        let mut scan = Scan {
            lines: text.lines().collect(),
            path: Vec::new(),
            found: Vec::new(),
            tests: Vec::new(),
        };
        scan.walk(tokens);
        Ok(scan)
    }

    fn walk(&mut self, stream: TokenStream) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        // What the next brace group is.
        let mut pending: Option<Part> = None;
        // The next item is there for tests only.
        let mut test = false;
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    if let Some(TokenTree::Group(group)) = tokens.get(at + 1) {
                        if group.delimiter() == Delimiter::Bracket {
                            test |= is_for_tests(group);
                            self.attribute(group, &tokens[at + 2..]);
                            at += 1;
                        }
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => {
                    if let (true, Some(part)) = (test, &pending) {
                        self.tests.push(part.name.clone());
                    }
                    (pending, test) = (None, false);
                }
                TokenTree::Group(group) => {
                    let is_body = group.delimiter() == Delimiter::Brace;
                    let part = if is_body { pending.take() } else { None };
                    // (The parameters of a function are not its end.)
                    if !(test && (is_body || pending.is_some())) {
                        self.inside(part, group);
                    }
                    test &= !is_body;
                }
                TokenTree::Ident(ident) => {
                    let rest = &tokens[at + 1..];
                    if ident == "unsafe" && !test {
                        self.is_unsafe(ident, rest);
                    } else if ident == "extern"
                        && !test
                        && is_block_of_foreign(rest)
                        && !was_unsafe(&tokens[..at])
                    {
                        self.site(ident, Kind::Extern, &self.name());
                    }
                    let is_macro = matches!(rest.first(), Some(TokenTree::Punct(punct)) if punct.as_char() == '!');
                    if ident == "global_asm" && is_macro && !test {
                        self.site(ident, Kind::Assembly, &self.name());
                    }
                    if let Some(part) = begun(ident, rest, pending.is_some()) {
                        pending = Some(part);
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn inside(&mut self, part: Option<Part>, group: &Group) {
        let deeper = part.is_some();
        self.path.extend(part);
        self.walk(group.stream());
        if deeper {
            self.path.pop();
        }
    }

    /// `#[unsafe(..)]`; or one of those that are as unsafe, and need not say so in this edition.
    fn attribute(&mut self, group: &Group, then: &[TokenTree]) {
        const UNSAFE: [&str; 4] = ["unsafe", "no_mangle", "export_name", "link_section"];
        if let Some(TokenTree::Ident(ident)) = group.stream().into_iter().next() {
            if UNSAFE.iter().any(|name| ident == name) {
                let near = &then[..then.len().min(8)];
                let item = name_after(near, "fn").or(name_after(near, "static"));
                let name = item.map_or_else(|| self.name(), |name| self.inner(&name));
                self.site(&ident, Kind::Attribute, &name);
            }
        }
    }

    fn is_unsafe(&mut self, ident: &Ident, rest: &[TokenTree]) {
        match rest.first() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                self.site(ident, Kind::Block, &self.name());
            }
            Some(TokenTree::Ident(next)) if next == "impl" => {
                let header = header(&rest[1..]);
                self.site(ident, Kind::Impl, &header.name);
            }
            Some(TokenTree::Ident(next)) if next == "trait" => {
                if let Some(TokenTree::Ident(name)) = rest.get(1) {
                    self.site(ident, Kind::Trait, &name.to_string());
                }
            }
            Some(TokenTree::Ident(next)) if next == "extern" && is_block_of_foreign(&rest[1..]) => {
                self.site(ident, Kind::Extern, &self.name());
            }
            // A function; or the type of one, which has no name and needs no argument.
            _ => {
                let near = &rest[..rest.len().min(4)];
                if let Some(name) = name_after(near, "fn") {
                    self.site(ident, Kind::Function, &self.inner(&name));
                }
            }
        }
    }

    fn site(&mut self, at: &Ident, kind: Kind, item: &str) {
        let line = at.span().start().line;
        let (reasons, argument) = match kind {
            Kind::Function | Kind::Trait => {
                let asked = match kind {
                    Kind::Trait => ASKED_OF_IMPLEMENTORS,
                    _ => ASKED_OF_CALLERS,
                };
                let of_a_trait = self.path.last().is_some_and(|part| part.of_a_trait);
                let argument = match comments::documented(&self.lines, line) {
                    None if of_a_trait => Some("As the trait says.".to_owned()),
                    documented => documented,
                };
                (vec![asked.to_owned()], argument.unwrap_or_default())
            }
            _ => match comments::argued(&self.lines, line) {
                Some(comment) => comments::split(&comment),
                None => (Vec::new(), String::new()),
            },
        };
        self.found.push(Site {
            line,
            item: item.to_owned(),
            kind,
            reasons,
            argument: comments::first_sentence(&argument).to_owned(),
        });
    }

    /// What the present place is called.
    fn name(&self) -> String {
        let names: Vec<&str> = self.path.iter().map(|part| part.name.as_str()).collect();
        match names.is_empty() {
            true => "(the file)".to_owned(),
            false => names.join("::"),
        }
    }

    fn inner(&self, name: &str) -> String {
        match self.path.is_empty() {
            true => name.to_owned(),
            false => format!("{}::{name}", self.name()),
        }
    }
}

/// Whether an attribute says that its item is there for tests only.
fn is_for_tests(group: &Group) -> bool {
    fn has(stream: TokenStream, word: &str) -> bool {
        stream.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == word,
            TokenTree::Group(group) => has(group.stream(), word),
            _ => false,
        })
    }
    let mut tokens = group.stream().into_iter();
    let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(condition))) =
        (tokens.next(), tokens.next())
    else {
        return false;
    };
    // `cfg(test)` and `cfg(all(test, ..))`. (One that is there for something else as well says `any`.)
    name == "cfg" && has(condition.stream(), "test") && !has(condition.stream(), "any")
}

/// Whether what follows `extern` is a block of foreign items.
fn is_block_of_foreign(rest: &[TokenTree]) -> bool {
    let is_brace = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace);
    match rest.first() {
        Some(TokenTree::Literal(_)) => is_brace(rest.get(1)),
        first => is_brace(first),
    }
}

fn was_unsafe(before: &[TokenTree]) -> bool {
    matches!(before.last(), Some(TokenTree::Ident(ident)) if ident == "unsafe")
}

/// The identifier after this word, if they are the first that come.
fn name_after(tokens: &[TokenTree], word: &str) -> Option<String> {
    let at = tokens
        .iter()
        .position(|token| matches!(token, TokenTree::Ident(ident) if ident == word))?;
    match tokens.get(at + 1) {
        Some(TokenTree::Ident(name)) => Some(name.to_string()),
        // In a macro: `fn $name`.
        Some(TokenTree::Punct(dollar)) if dollar.as_char() == '$' => match tokens.get(at + 2) {
            Some(TokenTree::Ident(name)) => Some(format!("${name}")),
            _ => None,
        },
        _ => None,
    }
}

/// What begins with an identifier, if its body is to come.
fn begun(ident: &Ident, rest: &[TokenTree], is_in_another: bool) -> Option<Part> {
    let named = |name: String| Part {
        name,
        of_a_trait: false,
    };
    match ident.to_string().as_str() {
        "fn" | "mod" | "trait" => {
            let word = [TokenTree::Ident(ident.clone())];
            let near: Vec<TokenTree> = word
                .into_iter()
                .chain(rest.iter().take(2).cloned())
                .collect();
            name_after(&near, &ident.to_string()).map(named)
        }
        // (Not the type of a parameter or a result.)
        "impl" if !is_in_another => Some(header(rest)),
        "macro_rules" => match rest.get(1) {
            Some(TokenTree::Ident(name)) => Some(named(format!("{name}!"))),
            _ => None,
        },
        _ => None,
    }
}

/// What an `impl` is of: `Type`, or `Type as Trait`.
fn header(rest: &[TokenTree]) -> Part {
    let mut depth = 0_usize;
    // The last word of each path that is no parameter, and whether `for` has come.
    let (mut names, mut word) = (Vec::new(), String::new());
    let mut before = ' ';
    for token in rest {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
            TokenTree::Group(group) if depth == 0 && word.is_empty() => word = group.to_string(),
            TokenTree::Punct(punct) => match punct.as_char() {
                '<' => depth += 1,
                // (`->` is no bracket.)
                '>' if before != '-' => depth = depth.saturating_sub(1),
                ';' => break,
                _ => {}
            },
            TokenTree::Ident(ident) if depth == 0 => {
                if ident == "where" {
                    break;
                } else if ident == "for" {
                    names.push(std::mem::take(&mut word));
                } else if ident != "const" && ident != "dyn" && before != '\'' {
                    word = if before == '$' {
                        format!("${ident}")
                    } else {
                        ident.to_string()
                    };
                }
            }
            _ => {}
        }
        before = match token {
            TokenTree::Punct(punct) => punct.as_char(),
            _ => ' ',
        };
    }
    match names.pop() {
        Some(of) => Part {
            name: format!("<{word} as {of}>"),
            of_a_trait: true,
        },
        None => Part {
            name: word,
            of_a_trait: false,
        },
    }
}
