//! A plan, a report or a summary as text, Markdown, JSON, HTML, JUnit or what Prometheus reads.

mod changes;
mod comment;
#[cfg(feature = "reports")]
mod html;
#[cfg(feature = "reports")]
mod junit;
mod keys;
mod markdown;
#[cfg(feature = "reports")]
mod no_record;
mod plan;
mod prometheus;
mod results;
mod text;
mod validation;

pub use changes::Extras;
pub use comment::{COMMENT_MARKER, comment, step_summary};
#[cfg(feature = "reports")]
pub use html::{HtmlDetails, html, html_with};
#[cfg(feature = "reports")]
pub use junit::junit;
#[cfg(feature = "reports")]
pub(super) use junit::{RECORDS, case, line, records, write};
pub use keys::{BoundKeys, bound_keys};
pub use markdown::{markdown, markdown_of, markdown_with};
#[cfg(feature = "reports")]
pub(super) use no_record::{markdown_of_no_record, text_of_no_record};
pub use plan::plan;
pub use prometheus::{METRICS, Metric, prometheus};
pub use results::{RESULTS_HEAD, results_json, results_tail};
pub use text::text;
#[cfg(feature = "reports")]
use text::{facts as facts_of, timeline as timeline_of};
pub use validation::{
    Targets, VALIDATION_VERSION, Validation, validation, validation_json, write_validation,
};
