//! Aligned tables for people, and the same figures for programs.

use std::fmt::Write as _;
use std::{fs, io};

use crate::cargo::folder;
use crate::machine;
use crate::stats::Spread;

/// A table; the first column is aligned to the left, the others to the right.
#[derive(Debug, Default)]
pub struct Table(Vec<Vec<String>>);

impl Table {
    /// With the heads of its columns.
    #[must_use]
    pub fn new(heads: &[&str]) -> Self {
        Table(vec![heads.iter().map(|&head| head.to_owned()).collect()])
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.0.push(cells);
    }

    /// Prints it, with what it is of above.
    pub fn print(&self, caption: &str) {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.0.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        println!("{caption}\n");
        for (number, row) in self.0.iter().enumerate() {
            let mut line = String::new();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                let padding = " ".repeat(width - cell.chars().count());
                line += &if column == 0 {
                    format!("{cell}{padding}")
                } else {
                    format!("  {padding}{cell}")
                };
            }
            println!("  {}", line.trim_end());
            if number == 0 {
                let all = widths.iter().sum::<usize>() + 2 * (columns - 1);
                println!("  {}", "-".repeat(all));
            }
        }
        println!();
    }
}

/// A time in nanoseconds, with a sensible number of digits and a unit.
#[must_use]
pub fn time(ns: f64) -> String {
    match ns {
        ns if ns < 9.995 => format!("{ns:.2} ns"),
        ns if ns < 99.95 => format!("{ns:.1} ns"),
        ns if ns < 9_999.5 => format!("{ns:.0} ns"),
        ns if ns < 999_500.0 => format!("{:.1} µs", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}

/// One figure or name of a record.
#[derive(Clone, Debug)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// Many.
    Numbers(Vec<f64>),
    /// Yes or no.
    Flag(bool),
    /// There is none.
    Null,
}

impl Value {
    fn write(&self, json: &mut String) {
        match self {
            Value::Text(text) => quote(json, text),
            Value::Number(number) if number.is_finite() => {
                let _ = write!(json, "{number}");
            }
            Value::Numbers(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(|n| format!("{n:.3}")).collect();
                let _ = write!(json, "[{}]", numbers.join(","));
            }
            Value::Flag(flag) => {
                let _ = write!(json, "{flag}");
            }
            Value::Number(_) | Value::Null => json.push_str("null"),
        }
    }
}

fn quote(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c.is_control() => json.push(' '),
            c => json.push(c),
        }
    }
    json.push('"');
}

fn object(json: &mut String, fields: &[(&str, Value)]) {
    json.push('{');
    for (number, (name, value)) in fields.iter().enumerate() {
        if number > 0 {
            json.push(',');
        }
        quote(json, name);
        json.push(':');
        value.write(json);
    }
    json.push('}');
}

/// What is told of samples: their median and quartiles, and the samples themselves.
#[must_use]
pub fn figure(samples: &[f64]) -> [(&'static str, Value); 4] {
    let spread = Spread::of(samples);
    [
        ("median", Value::Number(spread.median)),
        ("lower_quartile", Value::Number(spread.lower)),
        ("upper_quartile", Value::Number(spread.upper)),
        ("samples", Value::Numbers(samples.to_vec())),
    ]
}

/// What programs read: a JSON file with the machine and a list of records.
#[derive(Debug, Default)]
pub struct Records(Vec<Vec<(&'static str, Value)>>);

impl Records {
    /// Adds one.
    pub fn add(&mut self, fields: Vec<(&'static str, Value)>) {
        self.0.push(fields);
    }

    /// Adds one with the [`figure`] of samples.
    pub fn add_figure(&mut self, mut fields: Vec<(&'static str, Value)>, samples: &[f64]) {
        fields.extend(figure(samples));
        self.0.push(fields);
    }

    /// Writes the file `bench/<name>.json` in the folder of build products, and says where that is.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, name: &str) -> io::Result<()> {
        let mut json = String::from("{\"machine\":");
        object(&mut json, &machine::describe());
        json.push_str(",\"records\":[");
        for (number, fields) in self.0.iter().enumerate() {
            json.push_str(if number == 0 { "\n" } else { ",\n" });
            object(&mut json, fields);
        }
        json.push_str("\n]}\n");

        let folder = folder();
        fs::create_dir_all(&folder)?;
        let file = folder.join(name).with_extension("json");
        fs::write(&file, json)?;
        println!(
            "the same for programs, with every sample: {}",
            file.display()
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_quoted() {
        let mut json = String::new();
        let fields = [
            ("a\"b", Value::Text("c\\d\n".into())),
            ("e", Value::Numbers(vec![1.0, 2.5])),
            ("f", Value::Number(f64::NAN)),
        ];
        object(&mut json, &fields);
        assert_eq!(json, r#"{"a\"b":"c\\d ","e":[1.000,2.500],"f":null}"#);
    }
}
