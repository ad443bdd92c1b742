use std::fmt;

use serde::{Deserialize, Serialize};

/// One step of undoing something, in plain data that another process of another version can read and carry out.
///
/// Every step is safe twice, proves that what it touches is ours, and does nothing if there is nothing left to undo.
/// What a version does not know it leaves owed and names.
///
/// ```
/// use chaos_test::port::UndoStep;
///
/// let step: UndoStep = serde_json::from_str(r#"{ "step": "end_processes", "mark": "m-1" }"#)?;
/// assert_eq!(step.mark(), Some("m-1"));
/// assert_eq!(step.to_string(), "end the processes marked m-1");
/// let later: UndoStep = serde_json::from_str(r#"{ "step": "mend_clocks", "mark": "m-1" }"#)?;
/// assert_eq!(later, UndoStep::Unknown);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
#[non_exhaustive]
pub enum UndoStep {
    /// End every process that carries this mark in its environment, and what is left of the sessions they lead.
    EndProcesses {
        /// The mark; it names its owner, so nobody else's process can carry it.
        mark: String,
    },
    /// Let every process go on that carries this mark in its environment, and what is left of the sessions they lead, if
    /// it was stopped.
    ContinueProcesses {
        /// The mark; it names its owner, so nobody else's process can carry it.
        mark: String,
    },
    /// Remove this file. Its name holds the mark, and it belongs to this user.
    RemoveFile {
        /// Where it is.
        path: String,
        /// The mark in its name.
        mark: String,
    },
    /// Remove every container, network and volume whose label holds this mark, whatever state it is in.
    RemoveContainers {
        /// The mark; it names its owner, so nobody else's container can carry it.
        mark: String,
    },
    /// A step of a version that knows more than this one.
    #[serde(other)]
    Unknown,
}

impl UndoStep {
    /// The mark of what it undoes, if it goes by one.
    pub fn mark(&self) -> Option<&str> {
        match self {
            Self::EndProcesses { mark }
            | Self::ContinueProcesses { mark }
            | Self::RemoveContainers { mark }
            | Self::RemoveFile { mark, .. } => Some(mark),
            Self::Unknown => None,
        }
    }
}

impl fmt::Display for UndoStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndProcesses { mark } => write!(f, "end the processes marked {mark}"),
            Self::ContinueProcesses { mark } => write!(f, "continue the processes marked {mark}"),
            Self::RemoveContainers { mark } => {
                write!(f, "remove the containers, networks and volumes marked {mark}")
            }
            Self::RemoveFile { path, .. } => write!(f, "remove {path}"),
            Self::Unknown => f.write_str("a step this version does not know"),
        }
    }
}

/// One thing that putting a fault in place does, told before it is done.
///
/// ```
/// let undo = "it is unlocked; it is with this process";
/// let step = chaos_test::port::PlannedStep::new("lock orders.txt", "that file", undo);
/// assert_eq!(step.touches, "that file");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedStep {
    /// What is done: `start 2 workers`.
    pub action: String,
    /// What is touched: `processor time of this host`.
    pub touches: String,
    /// What undoes it, and what does if this process cannot: `the workers are ended; they end with this process`.
    pub undo: String,
}

impl PlannedStep {
    /// What is done, what that touches, and what undoes it.
    #[must_use]
    pub fn new(action: impl Into<String>, touches: impl Into<String>, undo: impl Into<String>) -> Self {
        Self { action: action.into(), touches: touches.into(), undo: undo.into() }
    }
}
