/// The rules a run is judged by. They go with the format of its record: an old record is judged again as it was then.
///
/// ```
/// use chaos_test::report::FORMAT_VERSION;
/// use chaos_test::slo::Rules;
///
/// assert_eq!(Rules::of_format(1), Rules::First);
/// assert_eq!(Rules::of_format(FORMAT_VERSION), Rules::CURRENT);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rules {
    /// Of records of format 1: what has not come back, or has not stayed, breaks the recovery time if there is a limit on
    /// it, however short the watch was, and otherwise is a finding. An outage whose end was not seen counts to the end of
    /// the watch.
    First,
    /// Of records of format 2: it fails in any case, as [`Metastable`](super::Reason::Metastable) or
    /// [`Relapse`](super::Reason::Relapse). Of what was not seen to end only the least that it can have been breaks an
    /// objective.
    Second,
}

impl Rules {
    /// Those of today.
    pub const CURRENT: Self = Self::Second;

    /// Those of a record of that format.
    pub fn of_format(version: u32) -> Self {
        if version < 2 { Self::First } else { Self::Second }
    }
}
