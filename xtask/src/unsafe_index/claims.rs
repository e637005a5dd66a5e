//! What `docs/soundness.md` says: the invariants that it defines, and the files, functions, tests and guards that it names.
//!
//! In a paragraph that begins with `Code:` or `Shown by:`, and in the last column of the table of traps, each name in backticks is looked up:
//!
//! | written | is |
//! |---|---|
//! | `` ui: `brand/scope_shortened` `` | a program of `ui-tests/`; `*` stands for anything |
//! | `` loom: `last_touch` `` | a model: a file of `tests/loom/`, or a function in one |
//! | `` guards: `scope-variance` `` | an entry of `tests/GUARDS.md` or `tests/loom/README.md` |
//! | `` `busy.rs` ``, `` `src/scope.rs` ``, `` `tests/no-std` `` | a file of `tests/`, of `src/`, or of anything |
//! | `` `busy.rs`: `name` `` | a function in that file, or in the folder of that name |
//! | `` `cargo xtask qemu` `` | a task |
//!
//! Elsewhere, all that ends with `.rs` or `.md` is looked up.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{bail, ensure, Context, Result};

/// How many traps there are.
const TRAPS: u32 = 20;

/// The invariants, by name, with what they say: headings such as `### 7. SHUT: nothing calls after it`.
pub fn invariants(text: &str) -> Result<Vec<(String, String)>> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let Some(heading) = line.strip_prefix("### ") else {
            continue;
        };
        let Some((number, named)) = heading.split_once(". ") else {
            continue;
        };
        let (name, says) = named
            .split_once(": ")
            .with_context(|| format!("`{line}`: no name before a colon"))?;
        ensure!(
            number.parse() == Ok(found.len() + 1),
            "`{line}`: the number should be {}",
            found.len() + 1
        );
        ensure!(
            !found.iter().any(|(known, _)| known == name),
            "`{line}`: there is a {name} already"
        );
        found.push((name.to_owned(), says.to_owned()));
    }
    ensure!(
        !found.is_empty(),
        "no invariant, as in `### 1. NAME: it holds`"
    );
    Ok(found)
}

/// What is named and is not there; and the traps that are missing in the table.
pub fn missing(text: &str, root: &Path) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    let mut tell =
        |place: &str, what: &str| missing.push(format!("docs/soundness.md{place}: {what}"));
    let mut traps = Vec::new();
    let mut strict = false;
    let mut place = Place::Nowhere;
    let places = Places::of(root)?;
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        let named = if let Some(row) = line
            .strip_prefix("| ")
            .filter(|row| row.matches(" | ").count() == 3)
        {
            let cells: Vec<&str> = row.trim_end_matches([' ', '|']).split(" | ").collect();
            traps.extend(cells[0].parse::<u32>());
            (strict, place) = (true, Place::Nowhere);
            // What comes before is told in words.
            cells.last().copied().unwrap_or_default()
        } else {
            // A paragraph may go on for several lines.
            if let Some(word) = ["Code: ", "Shown by: "]
                .iter()
                .find(|word| line.starts_with(**word))
            {
                (strict, place) = (true, Place::of_word(word));
            } else if line.is_empty() || line.starts_with(['|', '#', '-']) {
                strict = false;
            }
            line
        };
        for piece in pieces(named) {
            let found = match piece {
                Piece::Word(word) => {
                    place = Place::of_word(word);
                    Ok(())
                }
                Piece::Name(name) if strict => places.look(name, &mut place),
                Piece::Name(name) => places.look_file(name),
            };
            if let Err(error) = found {
                tell(&format!(":{number}"), &format!("{error:#}"));
            }
        }
        if line.starts_with('|') {
            strict = false;
        }
    }
    for trap in 1..=TRAPS {
        if !traps.contains(&trap) {
            tell("", &format!("trap {trap} is not in the table"));
        }
    }
    Ok(missing)
}

/// Where names are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Nowhere,
    Ui,
    Loom,
    Guards,
    /// A file, or a folder.
    File(PathBuf),
}

impl Place {
    fn of_word(word: &str) -> Self {
        match word {
            "ui" => Place::Ui,
            "loom" => Place::Loom,
            "guards" => Place::Guards,
            _ => Place::Nowhere,
        }
    }
}

enum Piece<'a> {
    /// Between backticks.
    Name(&'a str),
    /// Before a colon, outside of them.
    Word(&'a str),
}

/// The names in a line, and what comes before colons.
fn pieces(line: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    for (number, part) in line.split('`').enumerate() {
        if number % 2 == 1 {
            pieces.push(Piece::Name(part));
        } else if let Some(text) = part.trim_end().strip_suffix(':') {
            let word = text.rsplit([' ', ';', '(', '|']).next().unwrap_or_default();
            if !word.is_empty() {
                pieces.push(Piece::Word(word));
            }
        }
    }
    pieces
}

/// What there is.
struct Places<'a> {
    root: &'a Path,
    guards: Vec<String>,
    tasks: String,
}

impl<'a> Places<'a> {
    fn of(root: &'a Path) -> Result<Self> {
        let mut guards = Vec::new();
        for document in ["tests/GUARDS.md", "tests/loom/README.md"] {
            let text = fs::read_to_string(root.join(document)).with_context(|| document)?;
            guards.extend(
                text.lines()
                    .filter_map(|line| line.strip_prefix("### "))
                    .map(str::to_owned),
            );
        }
        let tasks =
            fs::read_to_string(root.join("xtask/src/main.rs")).context("xtask/src/main.rs")?;
        Ok(Places {
            root,
            guards,
            tasks,
        })
    }

    /// Looks a name up where such names are.
    fn look(&self, name: &str, place: &mut Place) -> Result<()> {
        if let Some(task) = name.strip_prefix("cargo xtask ") {
            let task = task.split(' ').next().unwrap_or_default();
            ensure!(
                self.tasks.contains(&format!("\"{task}\" =>")),
                "no task `{task}`"
            );
            *place = Place::Nowhere;
            return Ok(());
        }
        if name.ends_with(".rs") || name.ends_with(".md") || self.root.join(name).is_dir() {
            *place = Place::File(self.file(name)?);
            return Ok(());
        }
        match place {
            Place::Ui => self.ui(name),
            Place::Loom => self.loom(name),
            Place::Guards => {
                ensure!(self.guards.iter().any(|id| id == name), "no guard `{name}`");
                Ok(())
            }
            Place::File(file) => {
                let name = name
                    .trim_end_matches("::*")
                    .rsplit("::")
                    .next()
                    .unwrap_or(name);
                ensure!(defines(file, name)?, "no `{name}` in {}", file.display());
                Ok(())
            }
            Place::Nowhere => {
                bail!("`{name}`: of what? `ui:`, `loom:`, `guards:` or a file comes before it")
            }
        }
    }

    /// Looks a name up if it is that of a file.
    fn look_file(&self, name: &str) -> Result<()> {
        let is_file = name.ends_with(".rs") || name.ends_with(".md");
        if is_file && !name.contains([' ', '*']) {
            self.file(name)?;
        }
        Ok(())
    }

    fn file(&self, name: &str) -> Result<PathBuf> {
        ["tests", "src", "docs", ""]
            .iter()
            .map(|folder| self.root.join(folder).join(name))
            .find(|path| path.exists())
            .with_context(|| format!("no file `{name}` in tests/, src/, docs/ or the root"))
    }

    fn ui(&self, name: &str) -> Result<()> {
        let (area, program) = name
            .split_once('/')
            .with_context(|| format!("`{name}`: no area"))?;
        let folder = self.root.join("ui-tests").join(area);
        let there = fs::read_dir(&folder)
            .with_context(|| format!("no area `{area}` in ui-tests/"))?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter_map(|file| file.strip_suffix(".rs").map(str::to_owned))
            .any(|file| matches(program, &file));
        ensure!(there, "no program `{name}` in ui-tests/");
        Ok(())
    }

    fn loom(&self, name: &str) -> Result<()> {
        let folder = self.root.join("tests/loom");
        for entry in fs::read_dir(&folder).context("tests/loom")? {
            let path = entry?.path();
            let file = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .unwrap_or_default();
            if matches(name, file)
                || (path.extension().is_some_and(|ext| ext == "rs") && defines(&path, name)?)
            {
                return Ok(());
            }
        }
        bail!("no model `{name}` in tests/loom/")
    }
}

/// Whether a name fits one with at most one `*`.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((begin, end)) => {
            name.len() >= begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end)
        }
    }
}

/// Whether a file defines something of this name; or one of those in the folder that is named as it is.
fn defines(path: &Path, name: &str) -> Result<bool> {
    let mut paths = vec![path.to_owned(), path.with_extension("")];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                paths.push(entry?.path());
            }
        } else if path.extension().is_some_and(|ext| ext == "rs") && path.exists() {
            let text = fs::read_to_string(&path)?;
            if text.lines().any(|line| is_definition(line, name)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn is_definition(line: &str, name: &str) -> bool {
    const WORDS: [&str; 10] = [
        "fn",
        "struct",
        "trait",
        "enum",
        "mod",
        "const",
        "type",
        "static",
        "union",
        "macro_rules!",
    ];
    let mut words = line.split_whitespace();
    let found = words.any(|word| WORDS.contains(&word));
    // `const fn`, `unsafe extern "C" fn`: the last of them counts.
    let next =
        words.find(|word| !WORDS.contains(word) && !matches!(*word, "unsafe" | "extern" | "\"C\""));
    found
        && next.is_some_and(|next| {
            next.split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                == Some(name)
        })
}
