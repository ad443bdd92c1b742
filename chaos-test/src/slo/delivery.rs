use crate::model::{Delivery, DoseReading, DoseUnit, Marks};
use crate::units::{seconds, show_duration};

/// What the witness's readings prove.
///
/// ```
/// use chaos_test::slo::Proof;
///
/// fn told(proof: &Proof) -> String {
///     match proof {
///         Proof::Delivered { overdose: false } => "the fault was there".into(),
///         Proof::Delivered { overdose: true } => "there was more of the fault than asked for".into(),
///         Proof::Missing(why) => format!("no proof of the fault: {why}"),
///         _ => "something else".into(),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Proof {
    /// The fault was there, at about the dose asked for.
    Delivered {
        /// Much more was measured than asked for.
        overdose: bool,
    },
    /// It was not, or it cannot be said.
    Missing(String),
}

const FEWEST: usize = DoseReading::FEWEST;

/// Whether the fault was really there: at least three readings in the fault window, and at most one in five with
/// [too little](DoseReading::ENOUGH) of the dose asked for. A reading that failed counts as none.
///
/// ```
/// use chaos_test::model::Trace;
/// use chaos_test::slo::{Proof, proof};
///
/// fn proven(trace: &Trace) -> Proof {
///     proof(trace.delivery.as_ref(), &trace.marks)
/// }
/// assert_eq!(proven(&Trace::default()), Proof::Missing("nothing was injected".into()));
/// ```
pub fn proof(delivery: Option<&Delivery>, marks: &Marks) -> Proof {
    let Some(delivery) = delivery else {
        return Proof::Missing("nothing was injected".into());
    };
    if marks.injected.is_none() {
        return Proof::Missing(match &delivery.last_failure {
            Some(why) => format!("the witness could not see it: {why}"),
            None => match delivery.readings.last() {
                Some(last) => format!(
                    "asked {}, and the witness never saw more than half of it ({} at the end)",
                    show_dose(delivery.unit, last.asked),
                    show_dose(delivery.unit, last.measured)
                ),
                None => "the witness never saw it in place".into(),
            },
        });
    }
    let readings = &delivery.readings;
    if readings.len() < FEWEST {
        let (seen, failed) = (readings.len(), delivery.failed_readings as usize);
        return Proof::Missing(match &delivery.last_failure {
            Some(why) if failed > 0 => format!(
                "only {seen} of {} readings of the witness succeeded, {FEWEST} are needed; the last failure: {why}",
                seen + failed
            ),
            _ => format!("the witness had time for {seen} readings, {FEWEST} are needed"),
        });
    }
    let asked = readings[0].asked;
    let total = readings.len() + delivery.failed_readings as usize;
    let short =
        readings.iter().filter(|reading| !reading.is_enough()).count() + delivery.failed_readings as usize;
    let median = median(readings);
    if short * 5 > total || median <= asked * DoseReading::ENOUGH {
        return Proof::Missing(format!(
            "asked {}, measured {} (median of {} checks; {short} with half of it or less)",
            show_dose(delivery.unit, asked),
            show_dose(delivery.unit, median),
            total
        ));
    }
    Proof::Delivered { overdose: median > asked * 1.5 }
}

/// The median of what was measured; 0 when nothing was.
///
/// ```
/// use chaos_test::model::DoseReading;
/// use chaos_test::slo::median;
/// use std::time::Duration;
///
/// let reading = |measured| DoseReading { at: Duration::ZERO, asked: 0.2, measured };
/// assert_eq!(median(&[reading(0.21), reading(0.2), reading(3.0)]), 0.21);
/// assert_eq!(median(&[]), 0.0);
/// ```
pub fn median(readings: &[DoseReading]) -> f64 {
    let mut measured: Vec<f64> = readings.iter().map(|reading| reading.measured).collect();
    measured.sort_by(f64::total_cmp);
    measured.get(measured.len() / 2).copied().unwrap_or(0.0)
}

/// A dose with its unit: `200.6 ms`, `1.98 cores`, `down`.
///
/// ```
/// use chaos_test::model::DoseUnit;
/// use chaos_test::slo::show_dose;
///
/// assert_eq!(show_dose(DoseUnit::Seconds, 0.2), "200.0 ms");
/// assert_eq!(show_dose(DoseUnit::Cores, 1.98), "1.98 cores");
/// assert_eq!(show_dose(DoseUnit::Down, 1.0), "down");
/// ```
pub fn show_dose(unit: DoseUnit, dose: f64) -> String {
    match unit {
        DoseUnit::Seconds if dose < 1.0 => format!("{:.1} ms", dose * 1e3),
        DoseUnit::Seconds => seconds(dose).map_or_else(|_| format!("{dose} s"), show_duration),
        DoseUnit::Cores => format!("{dose:.2} cores"),
        DoseUnit::Bytes => format!("{:.1} MiB", dose / f64::from(1 << 20)),
        DoseUnit::Share => format!("{:.1} %", dose * 100.0),
        DoseUnit::Workers => format!("{dose:.1} workers"),
        DoseUnit::Down => if dose > 0.5 { "down" } else { "up" }.into(),
    }
}
