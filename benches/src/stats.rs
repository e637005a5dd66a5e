//! Medians and their spread.

/// Where a set of samples lies.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// A quarter of the samples lie below.
    pub lower: f64,
    /// Half of them.
    pub median: f64,
    /// Three quarters.
    pub upper: f64,
}

impl Spread {
    /// The spread of some samples.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    pub fn of(samples: &[f64]) -> Self {
        assert!(!samples.is_empty(), "nothing was measured");
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        Spread {
            lower: quantile(&sorted, 0.25),
            median: quantile(&sorted, 0.5),
            upper: quantile(&sorted, 0.75),
        }
    }
}

/// Below which so large a part of the samples lies, which are sorted.
///
/// # Panics
/// If there are none.
#[must_use]
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    // Between two samples, where it lies there.
    let place = part * (sorted.len() - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * place.fract()
}

/// The median of the ratios of samples of the same rounds: what the machine did to a round, it did to both.
#[must_use]
pub fn ratio(samples: &[f64], base: &[f64]) -> f64 {
    let ratios: Vec<f64> = samples.iter().zip(base).map(|(s, b)| s / b).collect();
    Spread::of(&ratios).median
}

/// The median of the differences, likewise.
#[must_use]
pub fn difference(samples: &[f64], base: &[f64]) -> f64 {
    let differences: Vec<f64> = samples.iter().zip(base).map(|(s, b)| s - b).collect();
    Spread::of(&differences).median
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_samples() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!(
            (spread.lower, spread.median, spread.upper),
            (1.75, 2.5, 3.25)
        );
        assert_eq!(Spread::of(&[7.0]).median, 7.0);
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        // The second round was ten times as slow, for both.
        assert_eq!(ratio(&[2.0, 20.0, 2.0], &[1.0, 10.0, 1.0]), 2.0);
        assert_eq!(difference(&[2.0, 20.0, 2.0], &[1.0, 19.0, 1.0]), 1.0);
    }
}
