//! The unit that computes factorials.

use crate::config::{nanoseconds, EduConfig};

/// The factorial unit.
#[derive(Debug)]
pub(crate) struct Factorial {
    /// The register: an argument while computing, else the last result.
    value: u32,
    /// When the computation ends, in clock nanoseconds; `None` while idle.
    ends: Option<u64>,
    /// How long a computation takes, in nanoseconds.
    delay: u64,
}

impl Factorial {
    pub(crate) fn new(config: &EduConfig) -> Self {
        Self {
            value: 0,
            ends: None,
            delay: nanoseconds(config.compute),
        }
    }

    pub(crate) fn value(&self) -> u32 {
        self.value
    }

    /// When the computation ends; `None` while idle.
    pub(crate) fn ends(&self) -> Option<u64> {
        self.ends
    }

    /// Starts to compute `n!`; false, and without effect, if it is computing.
    pub(crate) fn start(&mut self, now: u64, n: u32) -> bool {
        if self.ends.is_some() {
            return false;
        }
        self.value = n;
        self.ends = Some(now.saturating_add(self.delay));
        true
    }

    /// Ends a computation that is due; true if one was.
    pub(crate) fn settle(&mut self, now: u64) -> bool {
        let due = self.ends.is_some_and(|ends| ends <= now);
        if due {
            self.value = factorial(self.value);
            self.ends = None;
        }
        due
    }
}

/// `n!` modulo 2³².
fn factorial(n: u32) -> u32 {
    // 34! has 32 factors of two, and so has every later one: no need to multiply up to 2³² times.
    if n >= 34 {
        return 0;
    }
    (1..=n).fold(1, u32::wrapping_mul)
}

#[cfg(test)]
mod tests {
    use super::factorial;

    #[test]
    fn the_shortcut_agrees_with_the_product() {
        let mut product = 1u32;
        for n in 1..=1000 {
            product = product.wrapping_mul(n);
            assert_eq!(factorial(n), product, "{n}!");
        }
    }
}
