use std::time::Duration;

use crate::slo::{Evaluation, Figure, Indicator, Judgement, Verdict};
use crate::units::show_duration;

/// A figure with its unit, to three digits that mean something.
pub(super) fn figure(figure: Figure) -> String {
    match figure {
        Figure::Share(share) => format!("{} %", trimmed(share * 100.0, 2)),
        Figure::Seconds(seconds) if seconds < 0.0 => format!("−{}", span(-seconds)),
        Figure::Seconds(seconds) => span(seconds),
    }
}

/// A damaged record may hold any number.
fn span(seconds: f64) -> String {
    Duration::try_from_secs_f64(seconds).map_or_else(|_| format!("{seconds:e} s"), show_duration)
}

fn trimmed(number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The limit with its direction: `≤ 5 %`.
pub(super) fn limit(evaluation: &Evaluation) -> String {
    let sign = if evaluation.indicator == Indicator::Availability { "≥" } else { "≤" };
    format!("{sign} {}", figure(evaluation.limit))
}

/// The measured value with its interval: `812 ms (790 ms … 845 ms)`.
pub(super) fn measured(evaluation: &Evaluation) -> String {
    let Some(value) = evaluation.measured else {
        return evaluation.note.clone().unwrap_or_else(|| "unknown".into());
    };
    let censored = evaluation.interval.is_none() && evaluation.note.is_some();
    let interval = match evaluation.interval {
        Some((low, high)) if low != high => format!(" ({} … {})", figure(low), figure(high)),
        _ => String::new(),
    };
    let note = evaluation.note.as_ref().map_or_else(String::new, |note| format!(", {note}"));
    format!("{}{}{interval}{note}", if censored { "≥ " } else { "" }, figure(value))
}

/// The verdict as it stands in the table; what is not a pass catches the eye. Where the judgement is void, a row decides
/// nothing, however good it looks.
pub(super) fn verdict(verdict: Verdict, judgement: &Judgement) -> String {
    match verdict {
        _ if judgement.is_void() => "void".into(),
        Verdict::Pass => "pass".into(),
        Verdict::Fail => "FAIL".into(),
        other => other.to_string().to_lowercase(),
    }
}

/// The name of an indicator, with its stream where there are several.
pub(super) fn name(evaluation: &Evaluation, several: bool) -> String {
    if several && evaluation.indicator != Indicator::RequestErrorRate {
        format!("{} ({})", evaluation.indicator, evaluation.stream)
    } else {
        evaluation.indicator.to_string()
    }
}

/// What the count of an evaluation was: `n = 900, 4 bad`, and after how many samples it was decided, if before the end.
pub(super) fn counts(evaluation: &Evaluation) -> String {
    let Some((k, n)) = evaluation.counts else { return String::new() };
    let what = if evaluation.indicator == Indicator::LatencyDegradation { "over the limit" } else { "bad" };
    let bad = if k == 0 { String::new() } else { format!(", {k} {what}") };
    let after = evaluation.evidence.as_ref().and_then(|trail| trail.decided_after);
    let decided = after.map_or_else(String::new, |after| format!(", decided after {after}"));
    format!("n = {n}{bad}{decided}")
}
