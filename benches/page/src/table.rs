//! Tables in Markdown.

/// A table; its first column is text, the others are figures.
pub struct Table {
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(heads: &[&str]) -> Self {
        Table {
            heads: heads.iter().map(|&head| head.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// As it stands on the page.
    pub fn shown(&self) -> String {
        let line = |cells: &[String]| {
            // A line across would end the cell; what looks like a tag would be one.
            let cells = cells
                .iter()
                .map(|cell| cell.replace('|', "\\|").replace('<', "&lt;"));
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        let right = "---:|".repeat(self.heads.len() - 1);
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("{}|---|{right}\n{rows}", line(&self.heads))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_keep_to_themselves() {
        let mut table = Table::new(&["a", "b"]);
        table.row(vec!["RwLock<T> | x".into(), "1".into()]);
        assert_eq!(
            table.shown(),
            "| a | b |\n|---|---:|\n| RwLock&lt;T> \\| x | 1 |\n"
        );
    }
}
