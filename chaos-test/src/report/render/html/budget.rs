use maud::{Markup, html};

use super::legible::{clipped, px};
use crate::model::Severity;
use crate::report::{Entry, Row, Unit, show};
use crate::slo::{Figure, Indicator};

/// How far a row is from its limit, in percent of what the limit allows; less than nothing where it is beyond. Of an
/// availability that is downtime: in percent of the availability itself no row would ever be far from its limit. `None`
/// where there is no figure, or nothing is allowed.
pub(super) fn margin(row: &Row) -> Option<f64> {
    let measured = row.measured.filter(|measured| measured.is_finite())?;
    if is(row, Indicator::Availability) {
        return row.used_by(measured).map(|taken| (1.0 - taken) * 100.0);
    }
    if row.limit <= 0.0 || !row.limit.is_finite() || row.unit == Unit::Holds {
        return None;
    }
    let room = if row.is_floor() { measured - row.limit } else { row.limit - measured };
    Some(room / row.limit * 100.0)
}

/// The margin of the objective that is nearest to its limit, or the furthest beyond, of those that decide.
pub(super) fn worst(entry: &Entry) -> Option<f64> {
    let deciding = entry.objectives.iter().filter(|row| row.severity == Severity::Blocking);
    deciding.filter_map(margin).min_by(f64::total_cmp)
}

/// A margin for people: `+62 %`, `−61 %`.
pub(super) fn show_margin(margin: Option<f64>) -> String {
    match margin {
        None => "–".into(),
        Some(margin) if margin < -999.0 => "< −999 %".into(),
        Some(margin) if margin > 999.0 => "> +999 %".into(),
        Some(margin) => {
            let whole = margin.round();
            // What rounds to nothing is on one side all the same.
            let (sign, whole) = if margin < 0.0 { ('−', whole.abs()) } else { ('+', whole) };
            format!("{sign}{whole} %")
        }
    }
}

fn is(row: &Row, indicator: Indicator) -> bool {
    row.indicator == indicator.key()
}

/// Which share of the errors or of the downtime that are allowed was used up, in percent; only those objectives are
/// budgets.
fn spent(row: &Row) -> Option<f64> {
    let of_errors = [Indicator::ErrorRate, Indicator::RequestErrorRate, Indicator::EndpointErrorRate];
    let budget = of_errors.into_iter().any(|errors| is(row, errors)) || is(row, Indicator::Availability);
    row.used_by(row.measured.filter(|_| budget)?).map(|taken| taken.max(0.0) * 100.0)
}

fn show_spent(spent: Option<f64>) -> String {
    match spent {
        None => "–".into(),
        Some(spent) if spent > 9999.0 => "> 9999 %".into(),
        Some(spent) if spent > 0.0 && spent < 1.0 => "< 1 %".into(),
        Some(spent) => format!("{} %", spent.round()),
    }
}

/// The value and its interval against the limit, which stands in the middle.
fn gauge(row: &Row) -> Markup {
    let x = |taken: f64| px(taken.clamp(0.0, 2.0) * 50.0);
    let measured = row.measured.and_then(|value| row.used_by(value));
    let ends = row.interval.and_then(|(low, high)| Some((row.used_by(low)?, row.used_by(high)?)));
    html! {
        @if let Some(measured) = measured {
            svg.gauge viewBox="-4 0 108 14" aria-hidden="true" {
                rect.room width="50" height="14" {}
                path.bound d="M50 0v14" {}
                @if let Some((from, to)) = ends { path.span d={ "M" (x(from)) " 7H" (x(to)) } {} }
                circle class=(if measured > 1.0 { "past" } else { "kept" }) cx=(x(measured)) cy="7" r="3.5" {}
            }
        }
    }
}

/// Every objective with its limit, what was measured, how far that is from the limit, and what it came to; drawn as well
/// where there is room for drawings.
pub(super) fn table(entry: &Entry, drawn: bool) -> Markup {
    html! {
        @if !entry.objectives.is_empty() {
            div.scroll role="region" tabindex="0" aria-label={ "objectives of SLO " (entry.slo) } {
                table.slo {
                    caption { "SLO " (entry.slo) }
                    thead { tr {
                        th scope="col" { "objective" }
                        th scope="col" { "verdict" }
                        th.n scope="col" { "limit" }
                        th.n scope="col" { "estimate" }
                        th.n scope="col" { "interval" }
                        th scope="col" { span.sr { "against the limit" } }
                        th.n scope="col" title="how far from the limit, in percent of what the limit allows" { "margin" }
                        th.n scope="col" title="of the errors or the downtime allowed" { "budget spent" }
                        th scope="col" { "samples" }
                    } }
                    tbody { @for row in &entry.objectives { (line(row, drawn)) } }
                }
            }
        }
    }
}

fn line(row: &Row, drawn: bool) -> Markup {
    let figure = |value: f64| show::figure(figure_of(row.unit, value));
    let interval =
        row.interval.filter(|(low, high)| low != high).map(|(low, high)| (figure(low), figure(high)));
    // What is shown has the interval in it, which has a column of its own here.
    let estimate = match &interval {
        Some((low, high)) => row.shown.measured.replacen(&format!(" ({low} … {high})"), "", 1),
        None => row.shown.measured.clone(),
    };
    let interval = interval.map_or_else(|| "–".into(), |(low, high)| format!("{low} … {high}"));
    let class = match row.shown.verdict.as_str() {
        "FAIL" => "v fail",
        "WARNING" => "v warn",
        "pass" => "v pass",
        _ => "v",
    };
    html! {
        tr {
            th scope="row" { (clipped(&row.objective)) }
            td class=(class) { (row.shown.verdict) }
            td.n { (row.shown.limit) }
            td.n { (clipped(&estimate)) }
            td.n { (interval) }
            td { @if drawn { (gauge(row)) } }
            td.n { (show_margin(margin(row))) }
            td.n { (show_spent(spent(row))) }
            td { (row.shown.samples) }
        }
    }
}

fn figure_of(unit: Unit, value: f64) -> Figure {
    match unit {
        Unit::Percent => Figure::Share(value / 100.0),
        Unit::Seconds => Figure::Seconds(value),
        Unit::PerSecond => Figure::PerSecond(value),
        Unit::Holds => Figure::Holds(value > 0.5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Shown;
    use crate::slo::Verdict;

    fn row(indicator: Indicator, unit: Unit, limit: f64, measured: f64) -> Row {
        Row {
            objective: indicator.to_string(),
            indicator: indicator.key(),
            stream: "app".into(),
            severity: Severity::Blocking,
            verdict: Verdict::Pass,
            void: false,
            unit,
            limit,
            measured: Some(measured),
            interval: None,
            shown: Shown::default(),
        }
    }

    #[test]
    fn a_margin_is_what_is_left_of_the_limit() {
        let of = |row: &Row| (show_margin(margin(row)), show_spent(spent(row)));
        let said = |margin: &str, spent: &str| (margin.to_owned(), spent.to_owned());
        assert_eq!(of(&row(Indicator::ErrorRate, Unit::Percent, 5.0, 1.9)), said("+62 %", "38 %"));
        assert_eq!(of(&row(Indicator::ErrorRate, Unit::Percent, 5.0, 7.5)), said("−50 %", "150 %"));
        assert_eq!(of(&row(Indicator::ErrorRate, Unit::Percent, 0.0, 0.0)), said("–", "–"));
        assert_eq!(of(&row(Indicator::Availability, Unit::Percent, 95.0, 96.0)), said("+20 %", "80 %"));
        assert_eq!(of(&row(Indicator::Availability, Unit::Percent, 100.0, 96.0)), said("–", "–"));
        assert_eq!(of(&row(Indicator::LatencyDegradation, Unit::Seconds, 0.5, -0.1)), said("+120 %", "–"));
        assert_eq!(of(&row(Indicator::Throughput, Unit::PerSecond, 50.0, 25.0)), said("−50 %", "–"));
        assert_eq!(of(&row(Indicator::RecoveryTime, Unit::Seconds, 1e-9, 1e9)), said("< −999 %", "–"));
        assert_eq!(of(&row(Indicator::RecoveryTime, Unit::Seconds, 1.0, f64::NAN)), said("–", "–"));
    }
}
