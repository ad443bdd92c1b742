use serde::{Deserialize, Serialize};

/// When a share of samples is decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountRule {
    /// By exact limits, once the whole chaos phase is over.
    #[default]
    WholePhase,
    /// As soon as the evidence suffices. Only where the fault is the same from its beginning to its end.
    Sequential,
}

/// What earlier tries of a test have seen and could not decide; this one goes on from there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// How many tries there were.
    pub tries: u32,
    /// What they have seen in all.
    pub shares: Vec<CarriedShare>,
}

/// What was seen of one share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedShare {
    /// The stream.
    pub stream: String,
    /// The indicator, as records name it: `error_rate`.
    pub indicator: String,
    /// How many samples there were.
    pub samples: u64,
    /// How many of them were bad, or too slow.
    pub bad: u64,
    /// How many runs those came in.
    pub runs: u64,
}
