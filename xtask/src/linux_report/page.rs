//! A page of prose with parts that are made.

use anyhow::{Context, Result};

/// Its text. A made part is between the lines `<!-- made: NAME -->` and `<!-- end -->`.
pub struct Page(String);

const END: &str = "<!-- end -->";

impl Page {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    pub fn text(&self) -> &str {
        &self.0
    }

    /// Replaces what is in a part.
    pub fn set(&mut self, name: &str, made: &str) -> Result<()> {
        let begin = format!("<!-- made: {name} -->\n");
        let missing = || format!("the page has no part {name:?}");
        let from = self.0.find(&begin).with_context(missing)? + begin.len();
        let len = self.0[from..].find(END).with_context(missing)?;
        self.0.replace_range(from..from + len, made);
        Ok(())
    }
}

/// A table of Markdown; the first row is its head.
pub fn table(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (n, row) in rows.iter().enumerate() {
        text += &format!("| {} |\n", row.join(" | "));
        if n == 0 {
            text += &format!("|{}\n", "---|".repeat(row.len()));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_replaced_and_nothing_else() {
        let mut page = Page::new(
            "a\n<!-- made: x -->\nold\n<!-- end -->\nb\n<!-- made: y -->\n<!-- end -->\n".into(),
        );
        page.set("x", "new\n").unwrap();
        page.set("y", "z\n").unwrap();
        assert_eq!(
            page.text(),
            "a\n<!-- made: x -->\nnew\n<!-- end -->\nb\n<!-- made: y -->\nz\n<!-- end -->\n"
        );
        assert!(page.set("w", "").is_err());
    }

    #[test]
    fn a_table_has_a_head() {
        let rows = [
            vec!["a".to_owned(), "b".to_owned()],
            vec!["1".to_owned(), "2".to_owned()],
        ];
        assert_eq!(table(&rows), "| a | b |\n|---|---|\n| 1 | 2 |\n");
    }
}
