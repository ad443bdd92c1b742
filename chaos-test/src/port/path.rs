use std::io;
use std::time::Duration;

use super::BoxFuture;
use crate::model::ConnectionFault;

/// What a path does to the traffic on it. The default does nothing.
///
/// ```
/// use chaos_test::port::PathShape;
/// use chaos_test::units::TimeUnits;
///
/// let slow = PathShape { delay: 100.ms(), jitter: 20.ms(), ..PathShape::NONE };
/// assert_eq!(slow.round_trip(), 220.ms());
/// assert_eq!(PathShape::default(), PathShape::NONE);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PathShape {
    /// Extra time each way.
    pub delay: Duration,
    /// Further extra time each way, uniform from nothing to this.
    pub jitter: Duration,
    /// How many bytes may pass each way in a second, all connections together.
    pub bandwidth: Option<u64>,
    /// The share of segments lost each way, from 0 to 1: those bytes come late, as if they had been sent again.
    pub loss: f64,
    /// A share of connections that is broken, from 0 to 1, and how.
    pub connections: Option<(f64, ConnectionFault)>,
    /// Whether nothing passes at all, and how that looks.
    pub closed: Option<Closed>,
}

/// What clients see of a path on which nothing passes.
///
/// ```
/// use chaos_test::model::OutageMode;
/// use chaos_test::port::{Closed, PathShape};
///
/// /// What a front door does to make an outage.
/// fn outage(mode: OutageMode) -> PathShape {
///     let closed = match mode {
///         OutageMode::Hang | OutageMode::Partition => Closed::BlackHole,
///         _ => Closed::Refuse,
///     };
///     PathShape { closed: Some(closed), ..PathShape::NONE }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Closed {
    /// Open connections are reset, new ones are refused: the service is down.
    Refuse,
    /// Open connections hang, new ones open, and nothing answers. What waits goes on once the path is open again.
    BlackHole,
}

impl PathShape {
    /// The path as it is without a fault.
    pub const NONE: Self = Self {
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        bandwidth: None,
        loss: 0.0,
        connections: None,
        closed: None,
    };

    /// What a round trip takes longer, on average.
    pub fn round_trip(&self) -> Duration {
        self.delay * 2 + self.jitter
    }
}

/// The path all traffic to a service takes.
///
/// The measurements use real bytes through the same door and the same relay as everybody's traffic, answered by an
/// echo of the harness's own, so they do not trouble the service and its time is not in them.
///
/// ```
/// use std::io;
/// use std::time::Duration;
///
/// use chaos_test::port::{NetworkPath, PathShape};
/// use chaos_test::units::TimeUnits;
///
/// /// How much longer a round trip takes while 100 ms are added each way.
/// async fn added(path: &dyn NetworkPath) -> io::Result<Duration> {
///     let before = path.round_trip().await?;
///     path.shape(PathShape { delay: 100.ms(), ..PathShape::NONE });
///     let during = path.round_trip().await;
///     path.shape(PathShape::NONE);
///     Ok(during?.saturating_sub(before))
/// }
/// ```
pub trait NetworkPath: Send + Sync {
    /// Shapes the traffic from now on, open connections included.
    fn shape(&self, shape: PathShape);

    /// Measures the round trip of one byte.
    fn round_trip(&self) -> BoxFuture<'static, io::Result<Duration>>;

    /// Measures how long `bytes` take there and back.
    fn transfer(&self, bytes: usize) -> BoxFuture<'static, io::Result<Duration>>;

    /// Opens `count` connections, exchanges one byte on each, and counts what came of them. What has not been answered
    /// after `patience` is given up.
    ///
    /// # Errors
    /// Says nothing about the path: the trials could not be made.
    fn trials(&self, count: u32, patience: Duration) -> BoxFuture<'static, io::Result<Tally>>;
}

/// What came of trials of a path.
///
/// ```
/// use chaos_test::port::Tally;
///
/// let tally = Tally { answered: 85, reset: 15, ..Tally::default() };
/// assert_eq!(tally.count(), 100);
/// assert_eq!(f64::from(tally.reset) / f64::from(tally.count()), 0.15);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// They opened and were answered in time.
    pub answered: u32,
    /// They opened (or began to) and were not answered in time.
    pub unanswered: u32,
    /// They opened and were broken.
    pub reset: u32,
    /// They could not be opened: nobody listens.
    pub refused: u32,
}

impl Tally {
    /// How many there were.
    pub fn count(&self) -> u32 {
        self.answered + self.unanswered + self.reset + self.refused
    }
}
