//! The catalogue against files: the built-in one, extensions of it, a corpus of bad ones, hostile ones.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

#[path = "catalogue/builtin.rs"]
mod builtin;
#[path = "catalogue/corpus.rs"]
mod corpus;
#[path = "catalogue/extension.rs"]
mod extension;
#[path = "catalogue/hostile.rs"]
mod hostile;
