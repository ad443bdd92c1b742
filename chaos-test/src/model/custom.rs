use serde::{Deserialize, Serialize};

/// What an objective of the test's own found, as plain data: the code itself is in no record.
///
/// ```
/// use chaos_test::model::CustomResult;
/// use chaos_test::report::Report;
/// fn broken(report: &Report) -> Vec<String> {
///     let told = |result: &CustomResult| Some(format!("{}: {}", result.name, result.broken.as_ref()?));
///     report.trace.custom.iter().filter_map(told).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CustomResult {
    /// What it is called.
    pub name: String,
    /// Why it is broken; absent if it holds.
    pub broken: Option<String>,
}
