/// What a test with the verdict Inconclusive does.
///
/// ```
/// use chaos_test::prelude::*;
/// fn until_it_can_tell(experiment: Experiment) -> Experiment {
///     experiment.slo("production").inconclusive(Inconclusive::Extends)
/// }
/// assert_eq!(Inconclusive::default(), Inconclusive::Fails);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inconclusive {
    /// It fails, with a message of its own: a test that could not tell is no good news.
    #[default]
    Fails,
    /// It passes; the record still says Inconclusive.
    Passes,
    /// The chaos phase goes on, up to three times its length, where more samples could tell. If it still cannot tell, the
    /// test fails. Only where the fault is the same from its beginning to its end.
    Extends,
}

impl Inconclusive {
    pub(super) fn passes(self) -> bool {
        self == Self::Passes
    }
}
