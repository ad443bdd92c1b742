use std::fmt;

use serde::{Deserialize, Serialize};

/// Which rungs of the ladder a scenario is content with. The default is content with any.
///
/// ```
/// use chaos_test::model::{Catalogue, Fidelity, Pin};
///
/// let yaml = b"scenarios: [{name: Far, type: network_delay, intensity: light, duration: 30, fidelity: packet,
///              parameters: {delay_ms: 80}}]";
/// let catalogue = Catalogue::read("chaos.yml", yaml).unwrap();
/// let pin = &catalogue.scenario("Far").unwrap().pin;
/// assert_eq!(*pin, Pin { mechanism: None, fidelity: Some(Fidelity::Packet) });
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pin {
    /// This mechanism and no other.
    pub mechanism: Option<String>,
    /// At least this true to the real thing.
    pub fidelity: Option<Fidelity>,
}

/// How true a network fault is to the real thing.
///
/// ```
/// use chaos_test::prelude::*;
///
/// // A host that cannot lose packets ends the run with an error that says why.
/// fn lossy() -> Result<Experiment, Error> {
///     Ok(Experiment::scenario("Medium Packet Loss")?.fidelity(Fidelity::Packet))
/// }
/// assert!(Fidelity::Packet > Fidelity::Stream, "what is asked for is the least");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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
