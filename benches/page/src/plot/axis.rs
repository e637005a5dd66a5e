//! Scales, and what is written at them.

/// What the numbers on an axis are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unit {
    /// Nanoseconds, told in ns, µs, ms or s.
    Nanoseconds,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Hundredths.
    Percent,
    /// How many there are of what the axis names.
    Count,
}

impl Unit {
    /// The steps in which it is told: the name of each, and how much it is. The first is the smallest.
    fn steps(self) -> &'static [(&'static str, f64)] {
        match self {
            Unit::Nanoseconds => &[("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)],
            Unit::Seconds => &[("s", 1.0)],
            Unit::Bytes => &[("bytes", 1.0)],
            Unit::Percent => &[("%", 1.0)],
            Unit::Count => &[("", 1.0)],
        }
    }

    fn step(self, value: f64) -> (&'static str, f64) {
        let steps = self.steps();
        // Rounded, 999.96 ns is a microsecond.
        let fits = |step: &&(&str, f64)| value.abs() >= step.1 * 0.9995;
        *steps.iter().rev().find(fits).unwrap_or(&steps[0])
    }

    /// A value with its unit, and three digits.
    pub fn tell(self, value: f64) -> String {
        let (name, size) = self.step(value);
        let scaled = value / size;
        let number = match scaled.abs() {
            // Whole things.
            _ if matches!(self, Unit::Count | Unit::Bytes) => {
                format!("{scaled:.0}")
            }
            tiny if tiny < 0.0995 && tiny > 0.0 => format!("{scaled:.3}"),
            small if small < 9.995 => format!("{scaled:.2}"),
            middle if middle < 99.95 => format!("{scaled:.1}"),
            _ => format!("{scaled:.0}"),
        };
        format!("{number} {name}").trim_end().to_owned()
    }

    /// A round value, as short as can be; with its unit, unless all have the same.
    fn tick(self, value: f64, with_unit: bool) -> String {
        let (name, size) = if value == 0.0 {
            ("", 1.0)
        } else {
            self.step(value)
        };
        let name = if with_unit { name } else { "" };
        let scaled = (value / size * 1000.0).round() / 1000.0;
        if matches!(self, Unit::Count) {
            return match scaled {
                million if million >= 1e6 => format!("{}M", million / 1e6),
                thousand if thousand >= 1e4 => format!("{}k", thousand / 1e3),
                other => other.to_string(),
            };
        }
        format!("{scaled} {name}").trim_end().to_owned()
    }
}

/// An axis before anything is known of its range.
#[derive(Clone, Debug)]
pub struct Axis {
    title: String,
    pub(super) unit: Unit,
    log: bool,
}

/// An axis from here to there.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    unit: Unit,
    log: bool,
    from: f64,
    to: f64,
    /// What is marked, in order.
    pub ticks: Vec<f64>,
    /// Where there are lines without a number.
    pub between: Vec<f64>,
    pub title: String,
    /// Whether there is more than one unit at it.
    mixed: bool,
}

impl Axis {
    /// Of orders of magnitude.
    pub fn log(title: &str, unit: Unit) -> Self {
        Axis {
            title: title.to_owned(),
            unit,
            log: true,
        }
    }

    /// From zero.
    pub fn linear(title: &str, unit: Unit) -> Self {
        Axis {
            title: title.to_owned(),
            unit,
            log: false,
        }
    }

    pub(super) fn is_log(&self) -> bool {
        self.log
    }

    /// Wide enough for all of these.
    pub(super) fn over(&self, values: impl Iterator<Item = f64>) -> Scale {
        let fit = values.filter(|value| value.is_finite() && (!self.log || *value > 0.0));
        let (low, high) = fit.fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let (low, high) = if low > high { (1.0, 10.0) } else { (low, high) };
        let (from, to, ticks, between) = if self.log {
            decades(low, high)
        } else {
            steps(high, self.unit)
        };
        let mut scale = Scale {
            unit: self.unit,
            log: self.log,
            from,
            to,
            ticks,
            between,
            title: String::new(),
            mixed: false,
        };
        (scale.title, scale.mixed) = self.titled(&scale);
        scale
    }

    /// With the units that stand at it; and whether there are several.
    fn titled(&self, scale: &Scale) -> (String, bool) {
        let told = scale.ticks.iter().filter(|&&tick| tick > 0.0);
        let mut units: Vec<&str> = told.map(|&tick| self.unit.step(tick).0).collect();
        units.dedup();
        let mut title = self.title.clone();
        match (units.first(), units.last()) {
            (Some(&""), _) | (None, _) | (_, None) => {}
            (Some(first), Some(last)) if first == last => title += &format!(", {first}"),
            (Some(first), Some(last)) => title += &format!(", {first} to {last}"),
        }
        if self.log {
            title += ", log scale";
        }
        (title, units.len() > 1)
    }
}

/// From a decade or a third of one to another.
fn decades(low: f64, high: f64) -> (f64, f64, Vec<f64>, Vec<f64>) {
    let all: Vec<f64> = (-12..=12)
        .flat_map(|exponent: i32| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(exponent)))
        .collect();
    let from = all.iter().rev().find(|&&at| at <= low * 0.999);
    let to = all.iter().find(|&&at| at >= high * 1.001);
    let (from, to) = (*from.unwrap_or(&all[0]), *to.unwrap_or(&1e12));
    let inside = all.into_iter().filter(|at| (from..=to).contains(at));
    // Few decades have their thirds told as well.
    let wide = to / from > 2000.0;
    let is_decade = |at: f64| (at.log10() - at.log10().round()).abs() < 1e-9;
    let (ticks, between) = inside.partition(|&at| !wide || is_decade(at));
    (from, to, ticks, between)
}

/// From zero, in five to ten round steps.
fn steps(high: f64, unit: Unit) -> (f64, f64, Vec<f64>, Vec<f64>) {
    let high = if high > 0.0 { high } else { 1.0 };
    let decade = 10f64.powf((high / 5.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|digit| digit * decade)
        .into_iter()
        .find(|step| high / step <= 8.0)
        .unwrap_or(decade * 10.0);
    // Nobody has half a thing.
    let step = if unit == Unit::Count {
        step.max(1.0)
    } else {
        step
    };
    let count = (high / step).ceil();
    let ticks = (0..=count as u32)
        .map(|number| f64::from(number) * step)
        .collect();
    (0.0, count * step, ticks, Vec::new())
}

impl Scale {
    /// Where a value lies, as a part of the whole; what is beyond an end lies at it.
    pub fn at(&self, value: f64) -> f64 {
        let part = if self.log {
            (value.max(self.from) / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        part.clamp(0.0, 1.0)
    }

    pub fn label(&self, tick: f64) -> String {
        self.unit.tick(tick, self.mixed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_three_digits_and_the_unit_that_fits() {
        let told = [0.148, 7.163, 14.32, 101.2, 999.7, 13_950.0, 4.0e6]
            .map(|value| Unit::Nanoseconds.tell(value));
        assert_eq!(
            told,
            ["0.15 ns", "7.16 ns", "14.3 ns", "101 ns", "1.00 µs", "13.9 µs", "4.00 ms"]
        );
        assert_eq!(Unit::Bytes.tell(612.0), "612 bytes");
        assert_eq!(Unit::Count.tell(100.0), "100");
        assert_eq!(Unit::Nanoseconds.tell(0.0), "0.00 ns");
    }

    #[test]
    fn a_log_axis_spans_what_is_on_it() {
        let scale = Axis::log("t", Unit::Nanoseconds).over([0.15, 120.0].into_iter());
        assert_eq!((scale.from, scale.to), (0.1, 200.0));
        assert_eq!(scale.at(0.1), 0.0);
        assert_eq!(scale.at(200.0), 1.0);
        assert!(scale.at(4.47) > 0.49 && scale.at(4.47) < 0.51);
        assert_eq!(scale.title, "t, ns, log scale");
        assert_eq!(scale.label(100.0), "100");
        // Over many decades only those are told.
        let scale = Axis::log("t", Unit::Nanoseconds).over([1.5, 9e6].into_iter());
        assert_eq!(scale.ticks.len(), 8, "{:?}", scale.ticks);
        assert_eq!(scale.label(scale.ticks[4]), "10 µs");
        assert_eq!(scale.title, "t, ns to ms, log scale");
    }

    #[test]
    fn a_linear_axis_begins_at_zero_and_has_round_steps() {
        let scale = Axis::linear("t", Unit::Seconds).over([0.7, 6.3].into_iter());
        assert_eq!(scale.ticks, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!((scale.at(0.0), scale.at(3.5)), (0.0, 0.5));
        assert_eq!(scale.title, "t, s");
    }

    #[test]
    fn an_axis_of_nothing_is_one() {
        assert_eq!(Axis::log("t", Unit::Seconds).over([].into_iter()).from, 0.5);
        let scale = Axis::linear("t", Unit::Seconds).over([0.0].into_iter());
        assert!(scale.at(0.0) == 0.0 && scale.to > 0.0);
    }
}
