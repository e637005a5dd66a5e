//! Prints the public API that a file of rustdoc's JSON describes: an item a line, as `cargo public-api` has it.
//!
//! Left out is what says nothing: blanket implementations; of the automatic traits all but `Send` and `Sync`, which are promises; and the functions in
//! implementations of traits, which the trait tells.

use anyhow::{bail, Context, Result};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(file), None) = (args.next(), args.next()) else {
        bail!("usage: api-listing <rustdoc's JSON>");
    };
    let api = public_api::Builder::from_rustdoc_json(&file)
        .omit_blanket_impls(true)
        .build()
        .with_context(|| {
            format!("reading {file}: if it is of another format, this compiler needs another version of public-api in xtask/api-listing")
        })?;
    let lines: Vec<String> = api.items().map(ToString::to_string).collect();
    for line in telling(&lines) {
        println!("{line}");
    }
    Ok(())
}

/// Automatic traits that nobody asks for.
const SILENT: [&str; 5] = [
    "core::marker::Freeze",
    "core::marker::Unpin",
    "core::marker::UnsafeUnpin",
    "core::panic::unwind_safe::RefUnwindSafe",
    "core::panic::unwind_safe::UnwindSafe",
];

/// The lines that say something.
fn telling(lines: &[String]) -> impl Iterator<Item = &str> {
    // How the functions of the last implementation of a trait begin.
    let mut determined = None;
    lines.iter().map(String::as_str).filter(move |line| {
        let Some(implemented) = implementation(line) else {
            return !determined
                .as_ref()
                .is_some_and(|begin: &String| line.contains(begin));
        };
        determined = implemented.split_once(" for ").map(|(_, of)| {
            let of = of.split(" where ").next().unwrap_or(of);
            format!("fn {of}::")
        });
        let name = implemented.trim_start_matches('!');
        !SILENT.iter().any(|silent| {
            name.strip_prefix(silent)
                .is_some_and(|rest| rest.starts_with(' '))
        })
    })
}

/// What stands behind `impl` and its parameters.
fn implementation(line: &str) -> Option<&str> {
    let rest = line
        .strip_prefix("unsafe ")
        .unwrap_or(line)
        .strip_prefix("impl")?;
    if let Some(rest) = rest.strip_prefix(' ') {
        return Some(rest);
    }
    let mut depth = 0;
    let mut before = ' ';
    for (at, c) in rest.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        before = c;
        if depth == 0 {
            return Some(rest[at + 1..].trim_start());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept<'a>(lines: &[&'a str]) -> Vec<&'a str> {
        let owned: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let kept: Vec<String> = telling(&owned).map(ToOwned::to_owned).collect();
        let mut all = lines.iter();
        kept.iter()
            .map(|line| *all.find(|one| *one == line).unwrap())
            .collect()
    }

    #[test]
    fn what_a_trait_determines_is_left_out() {
        let lines = [
            "pub struct a::Timer<P: a::Platform>(_)",
            "impl<P: a::Platform> a::Timer<P>",
            "pub fn a::Timer<P>::start(&self)",
            "impl<P, F: Fn() -> P> core::ops::deref::Deref for a::Timer<P>",
            "pub type a::Timer<P>::Target = P",
            "pub fn a::Timer<P>::deref(&self) -> &P",
            "impl a::Timers for a::Host where a::Host: Sized",
            "pub unsafe fn a::Host::init(&self)",
            "pub unsafe trait a::Timers",
            "pub unsafe fn a::Timers::init(&self)",
            "pub fn a::enter()",
        ];
        assert_eq!(
            kept(&lines),
            [&lines[..5], &lines[6..7], &lines[8..]].concat()
        );
    }

    #[test]
    fn of_the_automatic_traits_the_promises_stay() {
        let lines = [
            "impl<P> core::marker::Freeze for a::Timer<P>",
            "impl<P> !core::marker::Unpin for a::Timer<P>",
            "impl<P> core::marker::Send for a::Timer<P> where P: core::marker::Send",
            "impl<P> !core::marker::Sync for a::Timer<P>",
            "impl<P> core::marker::UnsafeUnpin for a::Timer<P> where P: core::marker::Unpin",
        ];
        assert_eq!(kept(&lines), &lines[2..4]);
    }
}
