use std::time::Duration;

/// Something that happened to a service without the engine's doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mishap {
    /// How long ago.
    pub(crate) ago: Duration,
    /// What, for people. Told once, however often it is seen.
    pub(crate) text: String,
}
