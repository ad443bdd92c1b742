use std::io;
use std::time::Duration;

/// Reads what services use.
pub(crate) trait Meter: Send + Sync {
    /// What each of them has used so far, in the order they were given. Blocks for some milliseconds.
    ///
    /// # Errors
    /// Nothing can be read.
    fn read(&mut self) -> io::Result<Vec<Usage>>;
}

/// What a service has used since it was first looked at: the sums never fall, also when a process of it ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Processor time.
    pub(crate) cpu: Duration,
    /// Bytes read from storage.
    pub(crate) read: u64,
    /// Bytes written to storage.
    pub(crate) written: u64,
    /// Bytes of memory that are resident now.
    pub(crate) resident: u64,
    /// How many processes it has now.
    pub(crate) processes: u32,
}
