use std::fmt::Write;

use super::super::{Change, Comparison, Shift, Tightest, Trend, Unit};
use super::markdown::{code, escape, symbol};

/// What stands beside a summary in a report: what changed since a base, and how the tests fared over their history.
///
/// ```
/// use chaos_test::report::render::{Extras, markdown_with};
/// use chaos_test::report::{Comparison, Entry, HistoryLine, Summary, trends};
///
/// fn since(main: &[Entry], history: &[HistoryLine], now: &Summary) -> Extras {
///     let comparison = Comparison::of(main, &now.tests);
///     Extras { comparison: Some(("main".into(), comparison)), trends: trends(now, history) }
/// }
/// let now = Summary::of(Vec::new());
/// assert!(markdown_with(&now, &since(&[], &[], &now)).contains("## Compared with main"));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extras {
    /// What changed, and what the base is called.
    pub comparison: Option<(String, Comparison)>,
    /// How each test fared.
    pub trends: Vec<Trend>,
}

/// What changed since a base, as Markdown; regressions first. Figures that did not change are only counted.
pub(super) fn comparison(out: &mut String, base: &str, comparison: &Comparison) {
    let _ = writeln!(out, "## Compared with {}\n\n{}\n", escape(base), sentence(comparison));
    let changed: Vec<&Change> = comparison.tests.iter().filter(|change| change.is_change()).collect();
    if !changed.is_empty() {
        out.push_str("| test | what | before | now | change |\n|---|---|---|---|---|\n");
    }
    for change in changed {
        let mut row = |what: &str, was: &str, is: &str, shift: &str| {
            let cells = [code(&change.test), escape(what), escape(was), escape(is), shift.to_owned()];
            let _ = writeln!(out, "| {} |", cells.join(" | "));
        };
        if change.has_other_verdict() {
            let worse = match change.has_worse_verdict() {
                Some(true) => "**worse**",
                Some(false) => "better",
                None => "not compared",
            };
            row("verdict", &change.was.1, &change.is.1, worse);
        }
        for figure in &change.figures {
            match figure.shift {
                Shift::Worse => row(&figure.objective, &figure.was, &figure.is, "**worse**"),
                Shift::Better => row(&figure.objective, &figure.was, &figure.is, "better"),
                Shift::Same | Shift::Unknown => {}
            }
        }
    }
    if comparison.tests.iter().any(Change::is_change) {
        out.push('\n');
    }
    for change in &comparison.tests {
        if let Some(why) = &change.not_compared {
            let _ = writeln!(out, "- {} is not compared: {}", code(&change.test), escape(why));
        }
    }
    for (names, what) in [(&comparison.new, "is new"), (&comparison.gone, "was not run")] {
        for name in names {
            let _ = writeln!(out, "- {} {what}", code(name));
        }
    }
    out.push('\n');
}

/// What changed, in numbers.
pub(super) fn sentence(comparison: &Comparison) -> String {
    let figures = || comparison.tests.iter().flat_map(|change| &change.figures);
    let count = |shift| figures().filter(|figure| figure.shift == shift).count();
    let (worse, better, same, unknown) =
        (count(Shift::Worse), count(Shift::Better), count(Shift::Same), count(Shift::Unknown));
    let verdicts = comparison.tests.iter().filter(|change| change.has_other_verdict()).count();
    let unknown = if unknown == 0 { String::new() } else { format!(", {unknown} not known") };
    format!(
        "{worse} {} worse, {better} better, {same} the same or too close to tell{unknown}; {verdicts} of {} verdicts \
         changed. A figure is worse only where the two intervals do not touch.",
        if worse == 1 { "figure" } else { "figures" },
        comparison.tests.len()
    )
}

/// How the tests fared over their history, as Markdown.
pub(super) fn trends(out: &mut String, trends: &[Trend]) {
    if trends.is_empty() {
        return;
    }
    out.push_str("## History\n\n| test | verdicts, the latest last | nearest to its limit | run by run | now |\n|---|---|---|---|---|\n");
    for trend in trends {
        let verdicts: String = trend.verdicts.iter().map(|verdict| symbol(*verdict)).collect();
        let (objective, line, now) = trend.tightest.as_ref().map_or_else(Default::default, |tightest| {
            let now = tightest.measured.last().copied().flatten();
            let now = now.map_or_else(|| "not known".into(), |now| figure(now, tightest.unit));
            let limit = figure(tightest.limit, tightest.unit);
            (escape(&tightest.objective), sparkline(tightest), format!("{now} (limit {limit})"))
        });
        let _ = writeln!(out, "| {} | {verdicts} | {objective} | {line} | {now} |", code(&trend.test));
    }
    out.push('\n');
}

/// A figure of a trend with its unit.
pub(super) fn figure(number: f64, unit: Unit) -> String {
    match unit {
        Unit::Percent => format!("{number:.2} %"),
        Unit::Seconds if number.abs() < 1.0 => format!("{:.0} ms", number * 1e3),
        Unit::Seconds => format!("{number:.2} s"),
        Unit::PerSecond => format!("{number:.2}/s"),
        Unit::Holds => if number == 0.0 { "does not hold" } else { "holds" }.into(),
    }
}

/// One character a run, from the lowest to the highest of them and the limit; a gap where nothing is known.
fn sparkline(tightest: &Tightest) -> String {
    const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let known =
        || tightest.measured.iter().flatten().copied().chain([tightest.limit]).filter(|x| x.is_finite());
    let (low, high) = known().fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
    let step = |x: f64| {
        let share = if high > low { (x - low) / (high - low) } else { 0.0 };
        STEPS[((share * 7.0).round() as usize).min(7)]
    };
    tightest.measured.iter().map(|x| x.filter(|x| x.is_finite()).map_or(' ', step)).collect()
}
