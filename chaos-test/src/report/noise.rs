use crate::report::Report;
use crate::slo::{host_noise, show_load};
use crate::units::show_duration;

/// The share of stolen time from which on it is told.
const STOLEN: f64 = 0.01;

/// How the host did, if there is anything to tell: `woken 0.3 ms late, at most 38 ms, too late in 12 of 240 quarter
/// seconds, CPU pressure 31 %`.
pub(super) fn line(report: &Report) -> Option<String> {
    let noise = host_noise(&report.trace, &report.slo.objectives)?;
    if noise.noisy == 0 && noise.steal.is_none_or(|steal| steal < STOLEN) {
        return None;
    }
    let own = if report.trace.noise_is_fault { " (the fault is to keep it busy)" } else { "" };
    Some(format!(
        "woken {} late, at most {}, too late in {} of {} quarter seconds{}{own}",
        show_duration(noise.median),
        show_duration(noise.worst),
        noise.noisy,
        noise.windows,
        show_load(noise.pressure, noise.steal)
    ))
}
