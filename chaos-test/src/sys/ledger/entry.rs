use serde::{Deserialize, Serialize};

use crate::port::RevertRecord;
use crate::sys::owner::Owner;

/// The format this version writes. It grows when an entry changes its meaning; a reader refuses what is newer.
pub(crate) const FORMAT: u32 = 1;

/// One line of a ledger. Times are seconds of the monotonic clock, which all processes of one boot share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "entry")]
pub(crate) enum Entry {
    /// The first line: whose ledger this is.
    Opened {
        format: u32,
        version: String,
        owner: Owner,
        at: f64,
        /// Seconds since 1970, for people.
        unix: f64,
    },
    /// Something is about to be done; this undoes it.
    Owed {
        record: RevertRecord,
        /// The experiment it belongs to, if it is a fault of one.
        experiment: Option<u64>,
        at: f64,
    },
    /// A process of it was started, as the leader of a session: the session is its own, whatever becomes of its mark.
    Started { id: String, process: Owner, at: f64 },
    /// It has been undone.
    Settled { id: String, by: Payer, at: f64 },
    /// An experiment has begun; if its process cannot write the record, somebody else makes it of the pending one.
    Began { experiment: u64, test: String, pending: String, record: String, at: f64 },
    /// Its record is written.
    Ended { experiment: u64, at: f64 },
    /// An entry of a version that knows more than this one.
    #[serde(other)]
    Unknown,
}

/// Who paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Payer {
    /// The test itself.
    Test,
    /// Its reaper.
    Reaper,
    /// A later start, or somebody by hand.
    Sweep,
}
