//! A plan, a report or a summary as text, Markdown or JSON.

mod markdown;
mod plan;
mod text;
mod validation;

pub use markdown::markdown;
pub use plan::plan;
pub use text::text;
pub use validation::{Validation, validation, validation_json};
