//! Tables in Markdown.

/// A table. Columns of figures are aligned to the right.
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
        let is_figure = |cell: &String| cell.starts_with(|c: char| c.is_ascii_digit() || c == '–');
        let align = |column: usize| {
            let mut cells = self.rows.iter().filter_map(|row| row.get(column));
            if cells.all(is_figure) {
                "---:|"
            } else {
                "---|"
            }
        };
        let aligned: String = (0..self.heads.len()).map(align).collect();
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("{}|{aligned}\n{rows}", line(&self.heads))
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
