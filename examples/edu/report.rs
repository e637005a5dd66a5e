//! The teardown, as it happened, as a table.

use std::fmt::Write;

use driver_scope::event::{Event, Kind, Outcome, Phase};
use driver_scope::Instant;

/// What the platform was told.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
}

enum Row {
    Phase(Phase, Instant),
    Ended {
        kind: Kind,
        name: String,
        outcome: Outcome,
        at: Instant,
    },
    Other(String),
}

impl Report {
    /// Takes an event in.
    pub fn note(&mut self, event: &Event<'_>) {
        self.rows.push(match *event {
            Event::Phase { phase, at, .. } => Row::Phase(phase, at),
            Event::Ended {
                kind,
                name,
                outcome,
                at,
                ..
            } => Row::Ended {
                kind,
                name: name.to_string(),
                outcome,
                at,
            },
            _ => Row::Other(event.to_string()),
        });
    }

    /// The table; times count from `removed`.
    pub fn table(&self, removed: Instant) -> String {
        let mut out = String::new();
        let _ = writeln!(
            out,
            "  {:<12} {:<16} {:<22} {:<22} {:<12} {:>10}",
            "phase", "kind", "name", "at remove", "then", "after"
        );
        for (index, row) in self.rows.iter().enumerate() {
            let _ = match row {
                Row::Phase(Phase::Done, at) => {
                    writeln!(out, "  {:<87} {:>10}", "done", after(*at, removed))
                }
                Row::Phase(phase, at) => {
                    let end = self.rows[index + 1..].iter().find_map(|row| match row {
                        Row::Phase(_, at) => Some(*at),
                        _ => None,
                    });
                    let took = end.map_or(String::new(), |end| format!("took {}", after(end, *at)));
                    writeln!(
                        out,
                        "  {:<12} {took:<74} {:>10}",
                        phase.to_string(),
                        after(*at, removed)
                    )
                }
                Row::Ended {
                    kind,
                    name,
                    outcome,
                    at,
                } => {
                    let (state, end) = describe(*outcome, removed);
                    writeln!(
                        out,
                        "  {:<12} {:<16} {name:<22} {state:<22} {end:<12} {:>10}",
                        "",
                        kind.to_string(),
                        after(*at, removed)
                    )
                }
                Row::Other(text) => writeln!(out, "  {text}"),
            };
        }
        out
    }
}

/// The state that a registration was in, and how it ended.
fn describe(outcome: Outcome, removed: Instant) -> (String, &'static str) {
    match outcome {
        Outcome::Cancelled(at) => {
            let due = at.saturating_duration_since(removed);
            (
                format!("armed, due in {:.1} ms", due.as_secs_f64() * 1e3),
                "cancelled",
            )
        }
        Outcome::WaitedFor => ("running".into(), "waited for"),
        Outcome::Idle => ("idle".into(), "-"),
        Outcome::Dropped => ("held".into(), "dropped"),
        Outcome::Ran => ("registered".into(), "ran"),
        Outcome::Quieted => ("reaching memory".into(), "made quiet"),
        Outcome::Panicked => ("registered".into(), "panicked"),
        _ => (String::new(), "ended"),
    }
}

fn after(at: Instant, since: Instant) -> String {
    format!("{} µs", at.saturating_duration_since(since).as_micros())
}
