use std::collections::BTreeSet;
use std::fmt::Write;

use maud::{Markup, html};

use super::scale::{Axis, LEFT, Times};
use crate::model::{Outcome, Stream};

/// More dots than this of one stream are drawn on a coarser grid.
const MOST: usize = 4000;
/// The grids, finest first: the sides of their cells.
const GRIDS: [f64; 4] = [2.0, 3.0, 5.0, 8.0];

/// How the samples of one sort of outcome are drawn. The shape carries it, the colour only helps.
struct Shape {
    class: &'static str,
    name: &'static str,
    /// From the middle of its cell to where the drawing begins.
    from: (i32, i32),
    draw: &'static str,
    /// Where the drawing ends, from where it began.
    to: (i32, i32),
}

/// In the order in which they are drawn: what is rare is on top.
const SHAPES: [Shape; 8] = [
    Shape { class: "good", name: "good", from: (0, 0), draw: "h0", to: (0, 0) },
    Shape { class: "dropped", name: "not sent", from: (-1, 0), draw: "h2", to: (2, 0) },
    Shape { class: "timeout", name: "timed out", from: (0, -1), draw: "v2", to: (0, 2) },
    Shape { class: "refused", name: "connection failed", from: (-1, -1), draw: "l2 2m0-2l-2 2", to: (0, 2) },
    Shape { class: "status", name: "unexpected status", from: (0, 0), draw: "h0", to: (0, 0) },
    Shape { class: "body", name: "wrong body", from: (0, -1), draw: "l1 1-1 1-1-1z", to: (0, 0) },
    Shape { class: "failed", name: "failed", from: (-1, 0), draw: "h2m-1-1v2", to: (1, 1) },
    Shape { class: "panicked", name: "panicked", from: (0, -1), draw: "l1 2h-2z", to: (0, 0) },
];

fn shape_of(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Good => 0,
        Outcome::Dropped => 1,
        Outcome::Timeout => 2,
        Outcome::ConnectError => 3,
        Outcome::BadStatus(_) => 4,
        Outcome::BadBody => 5,
        Outcome::Failed => 6,
        Outcome::Panicked => 7,
    }
}

type Cells = [BTreeSet<(i32, i32)>; SHAPES.len()];

/// The samples of a stream as dots, one path for each sort of outcome: of those that fall on one spot, one is drawn.
pub(super) fn dots(stream: &Stream, times: Times, axis: Axis) -> Markup {
    let (side, cells) = cells(stream, times, axis);
    html! {
        @for (shape, cells) in SHAPES.iter().zip(&cells) {
            @if !cells.is_empty() {
                path class={ "o " (shape.class) } transform={ "translate(" (LEFT) ")scale(" (side) ")" } d=(path(shape, cells)) {}
            }
        }
    }
}

fn cells(stream: &Stream, times: Times, axis: Axis) -> (f64, Cells) {
    let mut found = (GRIDS[0], Cells::default());
    for side in GRIDS {
        let mut cells = Cells::default();
        for sample in stream.samples.iter().filter(|sample| times.has(sample.at)) {
            let (x, y) = (times.x(sample.at) - LEFT, axis.y(sample.latency.as_secs_f64()));
            cells[shape_of(sample.outcome)].insert(((x / side) as i32, (y / side) as i32));
        }
        found = (side, cells);
        if found.1.iter().map(BTreeSet::len).sum::<usize>() <= MOST {
            break;
        }
    }
    found
}

/// All of them in one path, each from where the one before has ended: that is short.
fn path(shape: &Shape, cells: &BTreeSet<(i32, i32)>) -> String {
    let mut out = String::new();
    let (mut x, mut y) = (0, 0);
    for (column, row) in cells {
        let (to_x, to_y) = (column + shape.from.0, row + shape.from.1);
        let (dx, dy) = (to_x - x, to_y - y);
        let gap = if dy < 0 { "" } else { " " };
        let _ = write!(out, "m{dx}{gap}{dy}{}", shape.draw);
        (x, y) = (to_x + shape.to.0, to_y + shape.to.1);
    }
    out
}

/// What the shapes mean, with how many samples each stands for; also for those who see no drawing.
pub(super) fn legend(stream: &Stream) -> Markup {
    let mut counts = [0_u64; SHAPES.len()];
    let mut statuses: Vec<(u16, u64)> = Vec::new();
    for sample in &stream.samples {
        counts[shape_of(sample.outcome)] += 1;
        if let Outcome::BadStatus(status) = sample.outcome {
            match statuses.iter_mut().find(|(known, _)| *known == status) {
                Some((_, count)) => *count += 1,
                None => statuses.push((status, 1)),
            }
        }
    }
    statuses.sort_by_key(|(status, count)| (u64::MAX - count, *status));
    let several = statuses.iter().take(4).map(|(status, count)| format!("{status} × {count}"));
    let mut several: Vec<String> = several.collect();
    several.extend((statuses.len() > 4).then(|| "…".to_owned()));
    html! {
        ul.legend {
            @for (shape, count) in SHAPES.iter().zip(counts).filter(|(_, count)| *count > 0) {
                li {
                    svg viewBox="-3 -3 6 6" aria-hidden="true" {
                        path class={ "o " (shape.class) } d={ "M" (shape.from.0) " " (shape.from.1) (shape.draw) } {}
                    }
                    (shape.name) " " b { (count) }
                    @if shape.class == "status" { " (" (several.join(", ")) ")" }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_where_each_dot_is() {
        let cells = BTreeSet::from([(3, 5), (3, 7), (4, 2)]);
        assert_eq!(path(&SHAPES[0], &cells), "m3 5h0m0 2h0m1-5h0");
        // Each ends somewhere, and the next one begins from there.
        assert_eq!(path(&SHAPES[2], &cells), "m3 4v2m0 0v2m1-7v2");
    }
}
