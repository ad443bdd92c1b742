use std::time::Duration;

use super::panel::{Line, Panel, limit, lines, plot};
use super::scale::{Axis, Times};
use crate::report::{Report, show};
use crate::slo::{Evaluation, EvidenceTrail};
use maud::html;

/// Not more trails than this are drawn.
const MOST: usize = 6;
/// Evidence below and above that is at the edge: nothing depends on how much.
const BOUNDS: (f64, f64) = (1e-3, 1e2);

fn trails(report: &Report) -> impl Iterator<Item = (&Evaluation, &EvidenceTrail)> {
    let all = report.judgement.evaluations.iter().filter_map(|evaluation| {
        Some((evaluation, evaluation.evidence.as_ref().filter(|trail| !trail.points.is_empty())?))
    });
    all.take(MOST)
}

/// The evidence of each share over time, on the axis of the run: at 1 it decides.
pub(super) fn panels(report: &Report, times: Times) -> Vec<Panel> {
    let several = report.judgement.streams.len() > 1;
    let panel = |(evaluation, trail): (&Evaluation, &EvidenceTrail)| {
        let of = |value: fn(&crate::slo::EvidencePoint) -> f64| -> Vec<(Duration, f64)> {
            trail.points.iter().map(|point| (point.at, value(point))).collect()
        };
        let both = [
            Line {
                name: "that it is within its limit",
                class: "a",
                points: of(|point| point.within),
                stepped: false,
            },
            Line {
                name: "that it is beyond its limit",
                class: "b",
                points: of(|point| point.beyond),
                stepped: false,
            },
        ];
        let values = both.iter().flat_map(|line| &line.points).map(|(_, value)| *value).chain([1.0]);
        let axis = Axis::log(values, BOUNDS, 54.0);
        let title = format!(
            "evidence on {} {}: within (solid), beyond (dashed)",
            show::name(evaluation, several),
            show::limit(evaluation)
        );
        let inside = html! { (lines(&both, times, axis)) (limit(1.0, "decides at 1", axis)) };
        // Every other decade is enough where there are many.
        let name = |value: f64| {
            if value.log10().round() as i32 % 2 == 0 { format!("{value}") } else { String::new() }
        };
        plot(&title, None, axis, &name, &inside)
    };
    trails(report).map(panel).collect()
}

/// The same in words: `error rate: decided after 260 of 1000 samples; each answer is wrong in at most 0.05 % of runs`.
pub(super) fn told(report: &Report) -> Vec<String> {
    let several = report.judgement.streams.len() > 1;
    let line = |(evaluation, trail): (&Evaluation, &EvidenceTrail)| {
        let name = show::name(evaluation, several);
        let last = trail.points.last();
        let (within, beyond) = last.map_or((0.0, 0.0), |last| (last.within, last.beyond));
        let all = trail.seen.n;
        let came = match trail.decided_after {
            Some(after) => format!("{name}: decided after {after} of {all} samples"),
            None => format!(
                "{name}: {all} samples; at the end {within} that it is within its limit, {beyond} that it is beyond \
                 (1 decides before the end)"
            ),
        };
        format!("{came}; each answer is wrong in at most {} of runs", show::error(trail.error))
    };
    trails(report).map(line).collect()
}
