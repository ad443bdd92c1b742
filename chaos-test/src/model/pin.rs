use std::fmt;

use serde::{Deserialize, Serialize};

/// Which rungs of the ladder a scenario is content with. The default is content with any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// This mechanism and no other.
    pub mechanism: Option<String>,
    /// At least this true to the real thing.
    pub fidelity: Option<Fidelity>,
}

/// How true a network fault is to the real thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fidelity {
    /// Made on the stream of bytes: what a network does to packets is worked out, not suffered.
    Stream,
    /// Made on packets: the kernels' own protocols see it.
    Packet,
}

impl fmt::Display for Fidelity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stream => "stream",
            Self::Packet => "packet",
        })
    }
}
