//! A plan, a report or a summary as text, Markdown or JSON.

mod keys;
mod markdown;
mod plan;
mod text;
mod validation;

pub use keys::{BoundKeys, bound_keys};
pub use markdown::markdown;
pub use plan::plan;
pub use text::text;
pub use validation::{Validation, validation, validation_json};
