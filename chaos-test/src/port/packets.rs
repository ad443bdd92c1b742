use std::io;
use std::time::Duration;

use super::{BoxFuture, Refusal};

/// What is done to each packet that a network delivers. A round trip is two of them, one each way.
///
/// ```
/// use chaos_test::port::PacketShape;
/// use chaos_test::units::TimeUnits;
///
/// let slow = PacketShape { delay: 100.ms(), jitter: 20.ms(), ..PacketShape::default() };
/// assert_eq!(slow.round_trip(), 220.ms());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PacketShape {
    /// Extra time.
    pub delay: Duration,
    /// Further extra time, uniform from nothing to this.
    pub jitter: Duration,
    /// The share that is lost, from 0 to 1; at 1 nothing passes.
    pub loss: f64,
}

impl PacketShape {
    /// What a round trip takes longer, on average.
    pub fn round_trip(&self) -> Duration {
        self.delay * 2 + self.jitter
    }
}

/// The packets of a service that has a network of its own.
///
/// The measurements are made between two ends of the harness's own inside that network, so they do not trouble the
/// service. What lets faults happen has no part in them.
///
/// ```
/// use std::io;
///
/// use chaos_test::port::{PacketPath, PacketShape};
///
/// /// The share of packets that really is lost while a tenth is meant to be.
/// async fn lost(packets: &dyn PacketPath, mark: &str) -> io::Result<f64> {
///     packets.apply(mark, "netem", PacketShape { loss: 0.1, ..PacketShape::default() })?;
///     let lost = packets.lost(1_000).await;
///     packets.remove(mark)?;
///     lost
/// }
/// ```
pub trait PacketPath: Send + Sync {
    /// Why nothing can be done to packets by this mechanism, if so: `netem`, `nft-drop` or `nfqueue`. Tried in a network
    /// that is thrown away, once per process; may take a moment.
    fn refusal(&self, mechanism: &str) -> Option<Refusal>;

    /// Does that to every packet from now on, by that mechanism. What does it carries the mark, and what it does ends
    /// with it.
    ///
    /// # Errors
    /// It could not be done, and nothing was.
    fn apply(&self, mark: &str, mechanism: &str, shape: PacketShape) -> io::Result<()>;

    /// Undoes what carries that mark. Nothing to undo is no error.
    ///
    /// # Errors
    /// It may still be there.
    fn remove(&self, mark: &str) -> io::Result<()>;

    /// Whether that network has ended with its environment, and with it all that was done to its packets.
    fn is_over(&self) -> bool;

    /// Measures the round trip of one byte on a new connection.
    fn round_trip(&self) -> BoxFuture<'static, io::Result<Duration>>;

    /// Sends so many packets and counts the share that does not arrive.
    fn lost(&self, packets: u32) -> BoxFuture<'static, io::Result<f64>>;

    /// Whether somebody takes connections where the service listens. It may be that a fault keeps the answer away.
    fn listens(&self) -> BoxFuture<'static, io::Result<bool>>;
}
