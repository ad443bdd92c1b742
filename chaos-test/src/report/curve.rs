use super::Report;
use crate::slo::{CurveStep, StepState, StreamFigures};
use crate::units::show_duration;

/// A row of a curve has this many characters at most; of more steps, neighbours share one and the worst of them shows.
const WIDEST: usize = 80;

/// The recovery curve of every stream that was out of its tolerance, a character a step:
/// `app, 1.0 s a step: ~~~~~~|~·····  (| fault gone, · normal, ~ slow, ! failing, x down)`.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let moved = |stream: &&StreamFigures| stream.curve.iter().any(|step| step.is_within() == Some(false));
    report.judgement.streams.iter().filter(moved).map(|stream| line(report, stream)).collect()
}

/// The same of the streams that have not come back, or have not stayed.
pub(super) fn of_lasting(report: &Report) -> Vec<String> {
    if report.judgement.lasting().is_empty() { Vec::new() } else { lines(report) }
}

fn line(report: &Report, stream: &StreamFigures) -> String {
    let removed = report.trace.marks.removed;
    let begin = removed.map_or(stream.curve.len(), |at| stream.curve.partition_point(|step| step.at < at));
    let (before, after) = stream.curve.split_at(begin);
    let shared = stream.curve.len().div_ceil(WIDEST).max(1);
    let row = |steps: &[CurveStep]| steps.chunks(shared).map(symbol).collect::<String>();
    let (mut row, mut legend) = (row(before), row(after));
    if !legend.is_empty() {
        row += &format!("|{legend}");
    }
    legend = [('|', "fault gone"), ('·', "normal"), ('~', "slow"), ('!', "failing"), ('x', "down")]
        .into_iter()
        .filter(|(symbol, _)| row.contains(*symbol))
        .map(|(symbol, word)| format!("{symbol} {word}"))
        .collect::<Vec<_>>()
        .join(", ");
    let step =
        stream.curve.windows(2).map(|two| two[1].at.saturating_sub(two[0].at)).max().unwrap_or_default();
    let step = step.saturating_mul(u32::try_from(shared).unwrap_or(u32::MAX));
    format!("{}: {row}  ({} a step; {legend})", stream.name, show_duration(step))
}

/// The worst of some steps.
fn symbol(steps: &[CurveStep]) -> char {
    let badness = |step: &CurveStep| match step.state {
        StepState::Unknown => (0, ' '),
        StepState::Normal => (1, '·'),
        StepState::Slow => (2, '~'),
        StepState::Failing => (3, '!'),
        StepState::Down => (4, 'x'),
    };
    steps.iter().map(badness).max().map_or(' ', |(_, symbol)| symbol)
}
