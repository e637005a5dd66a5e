//! What each bench is about, and what the page shows of it.

mod access;
mod compile;
mod lateness;
mod revoke;
mod size;
mod teardown;
mod timers;

use crate::plot::{Figure, Unit};
use crate::results::{Record, Results};
use crate::table::Table;

/// A subject of the page.
pub struct Subject {
    pub bench: &'static str,
    pub title: &'static str,
    pub make: fn(&Results) -> Part,
}

/// All, as they stand on the page.
pub const ALL: [Subject; 7] = [
    Subject {
        bench: "access",
        title: "Access",
        make: access::part,
    },
    Subject {
        bench: "revoke",
        title: "Revoke",
        make: revoke::part,
    },
    Subject {
        bench: "teardown",
        title: "Teardown",
        make: teardown::part,
    },
    Subject {
        bench: "timers",
        title: "Timers",
        make: timers::part,
    },
    Subject {
        bench: "lateness",
        title: "Lateness",
        make: lateness::part,
    },
    Subject {
        bench: "size",
        title: "Binary size",
        make: size::part,
    },
    Subject {
        bench: "compile",
        title: "Compile time",
        make: compile::part,
    },
];

/// A subject's part of the page.
pub struct Part {
    /// For the top of the page: a sentence each.
    pub claims: Vec<String>,
    /// What is compared.
    pub about: String,
    pub plots: Vec<Plot>,
    pub tables: Vec<Table>,
}

/// A plot, drawn.
pub struct Plot {
    pub file: &'static str,
    /// For who cannot see it.
    pub about: String,
    pub drawn: String,
}

/// A cell.
fn told(unit: Unit, value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| unit.tell(value))
}

/// The median, in a cell.
fn median(unit: Unit, figure: Option<Figure>) -> String {
    told(unit, figure.map(|figure| figure.median))
}

/// How often one goes into the other, in words.
fn times(one: f64, other: f64) -> String {
    match one / other {
        many if many >= 99.5 => format!("{many:.0} times"),
        many if many >= 9.95 => format!("{many:.1} times"),
        few if few >= 0.095 => format!("{few:.2} times"),
        tiny => format!("{tiny:.3} times"),
    }
}

/// How many, for people: 10,000.
fn thousands(count: f64) -> String {
    let digits = format!("{count:.0}");
    let mut told = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

/// The median of the record among these that `is` picks.
fn find(records: &[&Record], is: impl Fn(&Record) -> bool) -> Option<f64> {
    let found = records.iter().find(|record| is(record))?;
    found.number("median")
}

/// Names in the order in which they come first.
fn names(records: &[&Record]) -> Vec<String> {
    let mut all = Vec::new();
    for record in records {
        let name = record.name();
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_have_their_thousands_apart() {
        assert_eq!(
            [1.0, 100.0, 1000.0, 10_000.0, 1e6].map(thousands),
            ["1", "100", "1,000", "10,000", "1,000,000"]
        );
    }

    #[test]
    fn ratios_have_three_digits() {
        assert_eq!(times(3.0, 2.0), "1.50 times");
        assert_eq!(times(21.0, 2.0), "10.5 times");
        assert_eq!(times(200.0, 2.0), "100 times");
        assert_eq!(times(1.0, 200.0), "0.005 times");
    }
}
