use std::time::Duration;

use super::Report;
use crate::slo::{Evaluation, Figure, Indicator, Judgement, StreamFigures, Verdict};
use crate::units::show_duration;

/// A choice as records write it: `per_second`.
pub(super) fn key(choice: &impl serde::Serialize) -> String {
    serde_json::to_value(choice).ok().and_then(|key| key.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A figure with its unit, to three digits that mean something.
pub(super) fn figure(figure: Figure) -> String {
    match figure {
        Figure::Share(share) => format!("{} %", trimmed(share * 100.0, 2)),
        Figure::Seconds(seconds) if seconds < 0.0 => format!("−{}", span(-seconds)),
        Figure::Seconds(seconds) => span(seconds),
        Figure::PerSecond(rate) => format!("{}/s", trimmed(rate, 2)),
        Figure::Holds(true) => "holds".into(),
        Figure::Holds(false) => "does not hold".into(),
    }
}

/// How often an answer may be wrong, which is seldom: `0.05 %`.
#[cfg(feature = "reports")]
pub(super) fn error(share: f64) -> String {
    format!("{} %", trimmed(share * 100.0, 4))
}

/// A damaged record may hold any number.
fn span(seconds: f64) -> String {
    Duration::try_from_secs_f64(seconds).map_or_else(|_| format!("{seconds:e} s"), show_duration)
}

/// A time that is known to one interval of its stream, told no finer than that: `under 20 ms`, `1.24 s`.
pub(super) fn time(span: Duration, interval: Duration) -> String {
    if span < interval {
        return format!("under {}", show_duration(interval));
    }
    let step = interval.as_nanos().max(1);
    let rounded = span.as_nanos().saturating_add(step / 2) / step * step;
    show_duration(u64::try_from(rounded).map_or(span, Duration::from_nanos))
}

/// A figure to more digits than people mostly need.
fn finer(value: Figure) -> String {
    match value {
        Figure::Seconds(seconds) => format!("{} ms", trimmed(seconds * 1e3, 3)),
        Figure::Share(share) => format!("{} %", trimmed(share * 100.0, 4)),
        other => figure(other),
    }
}

/// When a stream was itself again: `within 20 ms`, `after 1.24 s`.
pub(super) fn recovered(after: Duration, interval: Duration) -> String {
    let shown = time(after, interval);
    match shown.strip_prefix("under ") {
        Some(interval) => format!("within {interval}"),
        None => format!("after {shown}"),
    }
}

/// The interval of the samples that the figures of a stream rest on.
pub(super) fn interval_of(report: &Report, figures: &StreamFigures) -> Duration {
    let same = report.trace.streams.iter().find(|of| of.name == figures.name && of.kind == figures.kind);
    same.map_or(Duration::ZERO, |stream| stream.interval)
}

/// A measured value; a time to recover as far as it is known.
fn value(evaluation: &Evaluation, measured: Figure) -> String {
    let is_time = [Indicator::WorstTimeToRecover, Indicator::RecoveryTime].contains(&evaluation.indicator);
    let (Figure::Seconds(seconds), Some((_, Figure::Seconds(high)))) = (measured, evaluation.interval) else {
        return figure(measured);
    };
    match (Duration::try_from_secs_f64(seconds), Duration::try_from_secs_f64(high)) {
        // Its interval ends one interval of the stream after it.
        (Ok(span), Ok(high)) if is_time => time(span, high.saturating_sub(span)),
        _ => figure(measured),
    }
}

fn trimmed(number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The limit with its direction: `≤ 5 %`.
pub(super) fn limit(evaluation: &Evaluation) -> String {
    let limit = figure(evaluation.limit);
    match evaluation.indicator {
        Indicator::Custom => limit,
        floor if floor.is_floor() => format!("≥ {limit}"),
        _ => format!("≤ {limit}"),
    }
}

/// The measured value with its interval: `812 ms (790 ms … 845 ms)`.
pub(super) fn measured(evaluation: &Evaluation) -> String {
    let Some(measured) = evaluation.measured else {
        return evaluation.note.clone().unwrap_or_else(|| "unknown".into());
    };
    if let (Figure::Holds(false), Some(why)) = (measured, &evaluation.note) {
        return one_line(why);
    }
    let censored = evaluation.interval.is_none() && evaluation.note.is_some();
    let interval = match evaluation.interval {
        Some((low, high)) if low != high => format!(" ({} … {})", figure(low), figure(high)),
        _ => String::new(),
    };
    let note = evaluation.note.as_ref().map_or_else(String::new, |note| format!(", {note}"));
    format!("{}{}{interval}{note}", if censored { "≥ " } else { "" }, value(evaluation, measured))
}

/// The same, and beside the worst time to recover the mean of all, where there were several outages:
/// `2 s (1.98 s … 2.02 s), mean of 3 outages: 1.2 s`.
pub(super) fn measured_in(report: &Report, evaluation: &Evaluation) -> String {
    let mean = mean_of_outages(report, evaluation).map(|mean| format!(", {mean}"));
    measured(evaluation) + &mean.unwrap_or_default()
}

fn mean_of_outages(report: &Report, evaluation: &Evaluation) -> Option<String> {
    if evaluation.indicator != Indicator::WorstTimeToRecover {
        return None;
    }
    let stream = report.judgement.streams.iter().find(|stream| stream.name == evaluation.stream)?;
    let mean = stream.mean_time_to_recover.filter(|_| stream.outages.len() > 1)?;
    let over = stream.outages.iter().all(|outage| outage.end.is_some());
    let mean =
        if over { time(mean, interval_of(report, stream)) } else { format!("≥ {}", show_duration(mean)) };
    Some(format!("mean of {} outages: {mean}", stream.outages.len()))
}

/// The verdict as it stands in the table; what is not a pass catches the eye. Where the judgement is void, a row decides
/// nothing, however good it looks.
pub(super) fn verdict(evaluation: &Evaluation, judgement: &Judgement) -> String {
    match evaluation.verdict {
        _ if judgement.is_void() => "void".into(),
        Verdict::Pass => "pass".into(),
        Verdict::Fail if !evaluation.decides() => "WARNING".into(),
        Verdict::Inconclusive if !evaluation.decides() => "unclear".into(),
        Verdict::Fail => "FAIL".into(),
        other => other.to_string().to_lowercase(),
    }
}

/// The name of what is judged, with its stream where there are several: `error rate (stock), warning`.
pub(super) fn name(evaluation: &Evaluation, several: bool) -> String {
    let indicator = evaluation.indicator;
    let name = match indicator {
        Indicator::Custom => one_line(&evaluation.stream),
        Indicator::RequestErrorRate => indicator.to_string(),
        _ if several || indicator.is_of_endpoint() => format!("{indicator} ({})", evaluation.stream),
        _ => indicator.to_string(),
    };
    name + kind(evaluation)
}

/// What stands behind the name of a row that decides nothing.
pub(super) fn kind(evaluation: &Evaluation) -> &'static str {
    if evaluation.decides() { "" } else { ", warning" }
}

/// One bound that was broken: `p95 latency degradation 812 ms > 500 ms`.
pub(super) fn breach(evaluation: &Evaluation, several: bool) -> String {
    let indicator = evaluation.indicator;
    let measured =
        evaluation.measured.map_or_else(|| "unknown".into(), |measured| value(evaluation, measured));
    if indicator == Indicator::Custom {
        let why = evaluation.note.as_deref().map_or(measured, one_line);
        return format!("{}: {why}", one_line(&evaluation.stream));
    }
    let mut name = match indicator {
        Indicator::LatencyDegradation => "p95 latency degradation".into(),
        other => other.to_string(),
    };
    if indicator.is_of_endpoint() || several && indicator != Indicator::RequestErrorRate {
        name += &format!(" of {}", evaluation.stream);
    }
    let limit = figure(evaluation.limit);
    // A time that was not over when the watch ended.
    if evaluation.note.is_some() && evaluation.interval.is_none() {
        return format!("{name} over {measured} (limit {limit})");
    }
    // It was back, and did not stay: the time itself may be well within its limit.
    if let (Indicator::RecoveryTime, Some(note)) = (indicator, &evaluation.note) {
        return format!("{name} {measured}, {} (limit {limit})", one_line(note));
    }
    let sign = if indicator.is_floor() { "<" } else { ">" };
    // `500 ms > 500 ms` would be no breach.
    let told_apart = evaluation.measured.filter(|_| measured == limit);
    let measured = told_apart.map_or(measured, finer);
    format!("{name} {measured} {sign} {limit}")
}

/// A text with nothing in it that a terminal obeys or that ends a line: what a record says may have been put there to hurt.
pub(super) fn printable(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        c => picture(c),
    };
    text.chars().map(shown).collect()
}

/// A character as it can be seen: the picture of a control character, so that nobody wonders what was lost.
pub(super) fn picture(c: char) -> char {
    match c {
        // As far from U+2400 as the character from zero.
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
        _ => c,
    }
}

/// The first line of a text.
pub(super) fn one_line(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = printable(lines.next().unwrap_or_default());
    match lines.next() {
        Some(_) => first + " …",
        None => first,
    }
}

/// What the count of an evaluation was: `n = 900, 4 bad`, and after how many samples it was decided, if before the end.
pub(super) fn counts(evaluation: &Evaluation) -> String {
    let Some((k, n)) = evaluation.counts else { return String::new() };
    let what = if evaluation.indicator.is_latency() { "over the limit" } else { "bad" };
    let bad = if k == 0 { String::new() } else { format!(", {k} {what}") };
    let after = evaluation.evidence.as_ref().and_then(|trail| trail.decided_after);
    let decided = after.map_or_else(String::new, |after| format!(", decided after {after}"));
    format!("n = {n}{bad}{decided}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_no_finer_than_it_is_known() {
        let ms = Duration::from_millis;
        assert_eq!(time(ms(6), ms(20)), "under 20 ms");
        assert_eq!(time(ms(20), ms(20)), "20 ms");
        assert_eq!(time(ms(1_235), ms(20)), "1.24 s");
        assert_eq!(time(ms(1_236), Duration::ZERO), "1.24 s");
        assert_eq!(recovered(ms(6), ms(20)), "within 20 ms");
        assert_eq!(recovered(ms(1_235), ms(20)), "after 1.24 s");
        // A damaged record may hold any time.
        assert!(!time(Duration::MAX, ms(20)).is_empty() && !time(ms(1), Duration::MAX).is_empty());
    }
}
