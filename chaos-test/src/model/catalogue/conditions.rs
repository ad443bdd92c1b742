use std::time::Duration;

use super::fields::{Fields, Keys};
use super::node::{Node, Spanned};
use super::reporter::Reporter;
use crate::model::AbortConditions;
use crate::units::Percent;

pub(super) const KEYS: &[&str] = &["error_rate_percent", "consecutive_failures", "response_time_ms"];

/// `abort_conditions` as one file has them; what it leaves out is inherited.
#[derive(Debug, Default)]
pub(super) struct RawConditions {
    error_rate: Option<Percent>,
    consecutive_failures: Option<u32>,
    response_time: Option<Duration>,
}

impl RawConditions {
    pub(super) fn read(node: &Spanned<Node>, place: String, out: &mut Reporter<'_>) -> Option<Self> {
        let fields = Fields::keyed(node, place, Keys::new(KEYS), out)?;
        Some(Self {
            error_rate: fields.get("error_rate_percent").and_then(|field| field.percent(out)),
            consecutive_failures: fields
                .get("consecutive_failures")
                .and_then(|field| field.whole(1..=u32::MAX, out)),
            response_time: fields.get("response_time_ms").and_then(|field| field.some_millis(out)),
        })
    }

    pub(super) fn over(&self, base: &AbortConditions) -> AbortConditions {
        AbortConditions {
            error_rate: self.error_rate.or(base.error_rate),
            consecutive_failures: self.consecutive_failures.or(base.consecutive_failures),
            response_time: self.response_time.or(base.response_time),
        }
    }
}
