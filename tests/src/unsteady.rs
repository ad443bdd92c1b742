use chaos_test::stats::SplitMix;

/// A simulated service whose errors come in bursts of a geometric length, or one by one.
#[derive(Debug)]
pub struct Unsteady {
    random: SplitMix,
    is_bad: bool,
    begins: f64,
    goes_on: f64,
}

impl Unsteady {
    /// Of that error rate, and that mean length of a burst; 1 is one by one.
    pub fn new(seed: u64, error_rate: f64, burst: f64) -> Self {
        let goes_on = if burst > 1.0 { 1.0 - 1.0 / burst } else { error_rate };
        let begins = if burst > 1.0 { error_rate * (1.0 - goes_on) / (1.0 - error_rate) } else { error_rate };
        let mut random = SplitMix::new(seed);
        let is_bad = random.unit() < error_rate;
        Self { random, is_bad, begins, goes_on }
    }

    /// Whether its next answer is bad.
    pub fn answers_badly(&mut self) -> bool {
        let bad = self.is_bad;
        self.is_bad = self.random.unit() < if bad { self.goes_on } else { self.begins };
        bad
    }
}
