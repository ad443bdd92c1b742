//! Stands for containers to look at where the feature `containers` is off: there are none.

use chaos_test::port::{Refusal, Target};

/// There is none.
pub(crate) struct Contained {
    pub(crate) plain: Target,
    pub(crate) prepared: Target,
    pub(crate) refusal: Option<Refusal>,
}

pub(crate) async fn contained(_like: &Target) -> Option<Contained> {
    None
}
