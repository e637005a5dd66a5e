//! Makes the page of the benches, `docs/benchmarks.md`, and its plots: `bench-page <folder of the page> [<folder of results> <bench>...]`.
//!
//! What the named benches have left in their folder is first taken over into `benchmarks/` beside the page. The page is made of what is there, and of
//! nothing else: made again, it is the same.

mod page;
mod plot;
mod results;
mod subjects;
mod table;

use std::fs;
use std::path::Path;

use anyhow::{bail, Context, Result};

use results::Results;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((docs, rest)) = args.split_first() else {
        bail!("usage: bench-page <folder of the page> [<folder of results> <bench>...]");
    };
    let kept = Path::new(docs).join(page::FOLDER);
    fs::create_dir_all(&kept).with_context(|| format!("making {}", kept.display()))?;
    if let Some((from, names)) = rest.split_first() {
        for name in names {
            Results::take(Path::new(from), &kept, name)
                .with_context(|| format!("taking over what {name} found"))?;
        }
    }
    for (file, text) in page::make(&kept)? {
        let path = Path::new(docs).join(file);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever is plotted, one can tell what of, and how much.
    #[test]
    fn each_plot_has_axes_with_units() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let made = page::make(&docs.join(page::FOLDER)).unwrap();
        for (file, text) in made.iter().filter(|(file, _)| file.ends_with(".svg")) {
            let titles: Vec<&str> = text
                .split("class=\"axis\"")
                .skip(1)
                .filter_map(|rest| rest.split(['<', '>']).nth(1))
                .map(str::trim)
                .collect();
            // Where there are curves, there are two.
            let axes = if text.contains("<polyline") { 2 } else { 1 };
            assert_eq!(titles.len(), axes, "{file}");
            for title in titles {
                let units = [", ns", ", µs", ", ms", ", s", ", bytes", ", %"];
                let counts = title.starts_with("how many ");
                assert!(
                    counts || units.iter().any(|unit| title.contains(unit)),
                    "{file}: {title}"
                );
            }
        }
    }

    /// The page and its plots are made, not written: whoever changes how, or a result, makes them anew.
    #[test]
    fn the_page_is_what_its_results_make() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let made = page::make(&docs.join(page::FOLDER)).unwrap();
        for (file, text) in &made {
            let there = fs::read_to_string(docs.join(file)).unwrap_or_default();
            assert!(
                there == *text,
                "docs/{file} is not what docs/{} makes: cargo xtask bench-report --page",
                page::FOLDER
            );
        }
        // And nothing is left over from before.
        for entry in fs::read_dir(docs.join(page::FOLDER)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".svg") {
                let file = format!("{}/{name}", page::FOLDER);
                assert!(made.contains_key(&file), "docs/{file} is not on the page");
            }
        }
    }
}
