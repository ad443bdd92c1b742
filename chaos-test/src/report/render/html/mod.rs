//! A summary as one HTML file that needs nothing else: no network, no framework, and no script to be read.
//!
//! Purpose: the page (`page`, `overview`), the details of each test (`test`, `details`) and its timeline as a drawing
//! (`timeline` and what it is composed of).
//!
//! Invariants: whatever a record holds is text here, never markup, and no control character comes out; the size of a
//! test's details is bounded whatever its record holds, and so is the number of tests that have them.
//! Not here: what the figures mean (that is `slo`), and how they are worded (`report::show`, `render::text`).

mod bands;
mod budget;
mod details;
mod dots;
mod events;
mod evidence;
mod legible;
mod over_time;
mod overview;
mod page;
mod panel;
mod remarks;
mod scale;
mod streams;
mod test;
mod timeline;

pub use details::HtmlDetails;
pub use page::{html, html_with};
