/// A small seeded generator (SplitMix64, Steele et al. 2014) for schedules and jitter. Not for secrets.
///
/// ```
/// use chaos_test::stats::SplitMix;
/// use chaos_test::units::TimeUnits;
///
/// // A wait of 50 ms to 100 ms before a retry, the same in every run of the test.
/// let wait = |seed| 50.ms() + 50.ms().mul_f64(SplitMix::new(seed).unit());
/// assert!((50.ms()..=100.ms()).contains(&wait(7)));
/// assert_eq!(wait(7), wait(7));
/// ```
#[derive(Debug, Clone)]
pub struct SplitMix(u64);

impl SplitMix {
    /// The generator with that seed; the same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform from 0 (included) to 1 (excluded).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
