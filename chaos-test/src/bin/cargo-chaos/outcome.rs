use std::time::Duration;

use chaos_test::model::Marks;
use chaos_test::report::Report;
use chaos_test::slo::{median, show_dose};
use chaos_test::units::show_duration;

use crate::table::row;

/// The heads of the table at the end of a run.
pub(crate) const HEADS: [&str; 8] =
    ["SCENARIO", "VERDICT", "MECHANISM", "ASKED", "MEASURED", "INJECT", "REVERT", "WHAT HAPPENED"];

/// A scenario that left a report.
pub(crate) fn ended(report: &Report) -> Vec<String> {
    let Marks { inject_started, injected, revert_started, removed, .. } = report.trace.marks;
    let (mechanism, asked, measured) = dose(report);
    let cells = [
        &report.scenario.name,
        &verdict(report),
        &mechanism,
        &asked,
        &measured,
        &took(inject_started, injected),
        &took(revert_started, removed),
        &report.headline(),
    ];
    row(cells.map(String::as_str))
}

fn verdict(report: &Report) -> String {
    let label = report.judgement.label();
    match report.judgement.warnings().len() {
        0 => label,
        1 => format!("{label}, 1 warning"),
        n => format!("{label}, {n} warnings"),
    }
}

/// A scenario that left none.
pub(crate) fn without(name: &str, verdict: &str, why: &str) -> Vec<String> {
    row([name, verdict, "-", "-", "-", "-", "-", why])
}

fn dose(report: &Report) -> (String, String, String) {
    let none = || "-".to_owned();
    let Some(delivery) = &report.trace.delivery else { return (none(), none(), none()) };
    let (asked, measured) = match delivery.readings.first() {
        Some(first) => {
            (show_dose(delivery.unit, first.asked), show_dose(delivery.unit, median(&delivery.readings)))
        }
        None => (none(), none()),
    };
    (delivery.mechanism.clone(), asked, measured)
}

/// From one mark to the next, in milliseconds where it is short.
fn took(from: Option<Duration>, to: Option<Duration>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => show_duration(Duration::from_micros(
            // Finer than a tenth of a millisecond means nothing here.
            (to.saturating_sub(from).as_micros() as u64 + 50) / 100 * 100,
        )),
        _ => "-".into(),
    }
}
