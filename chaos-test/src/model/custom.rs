use serde::{Deserialize, Serialize};

/// What an objective of the test's own found, as plain data: the code itself is in no record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomResult {
    /// What it is called.
    pub name: String,
    /// Why it is broken; absent if it holds.
    pub broken: Option<String>,
}
