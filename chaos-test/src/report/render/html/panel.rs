use std::fmt::Write;
use std::time::Duration;

use maud::{Markup, html};

use super::legible::px;
use super::scale::{Axis, LEFT, PLOT, Times, WIDTH};

/// More points of one line than this cannot be told apart.
const MOST_POINTS: usize = 400;

/// A strip of the drawing as wide as its time axis.
pub(super) struct Panel {
    /// How high it is.
    pub(super) height: f64,
    /// From its top left corner.
    pub(super) markup: Markup,
}

/// Above a plot: its title.
const TITLE: f64 = 18.0;
/// Below it, before the next one begins.
const BELOW: f64 = 8.0;

/// One line of a plot.
pub(super) struct Line<'a> {
    /// What it is, for who points at it.
    pub(super) name: &'a str,
    /// How it looks: `a` solid, `b` dashed, `c` dotted.
    pub(super) class: &'static str,
    /// Where it goes.
    pub(super) points: Vec<(Duration, f64)>,
    /// Whether a value holds until the next one, and is not on its way to it.
    pub(super) stepped: bool,
}

/// A row between a title and its plot: how high it is, and what is in it.
pub(super) type Row = (f64, Markup);

/// A plot with its axis and whatever is drawn in it.
pub(super) fn plot(
    title: &str,
    row: Option<Row>,
    axis: Axis,
    name: &dyn Fn(f64) -> String,
    inside: &Markup,
) -> Panel {
    let height = axis.height();
    let (row_height, row) = row.unzip();
    let top = TITLE + row_height.unwrap_or(0.0);
    Panel {
        height: top + height + BELOW,
        markup: html! {
            text.t x=(px(LEFT)) y="13" { (title) }
            @if let Some(row) = row { g transform={ "translate(0 " (TITLE) ")" } { (row) } }
            g transform={ "translate(0 " (px(top)) ")" } {
                rect.frame x=(px(LEFT)) width=(px(PLOT)) height=(px(height)) {}
                @for tick in axis.ticks() {
                    @let y = px(axis.y(tick));
                    path.grid d={ "M" (px(LEFT)) " " (y) "h" (px(PLOT)) } {}
                    text.e x=(px(LEFT - 5.0)) y=(y) dy=".32em" { (name(tick)) }
                }
                (inside)
            }
        },
    }
}

/// The lines of a plot, each with its name.
pub(super) fn lines(lines: &[Line<'_>], times: Times, axis: Axis) -> Markup {
    html! {
        @for line in lines {
            @let d = line.path(times, axis);
            @if !d.is_empty() { path class={ "l " (line.class) } d=(d) { title { (line.name) } } }
        }
    }
}

impl Line<'_> {
    fn path(&self, times: Times, axis: Axis) -> String {
        let seen = self.points.iter().filter(|(at, value)| times.has(*at) && value.is_finite());
        let seen: Vec<&(Duration, f64)> = seen.collect();
        let every = seen.len().div_ceil(MOST_POINTS).max(1);
        // Of several points that share one, the last one, so that the line ends where it does.
        let thinned = seen.chunks(every).filter_map(|some| some.last());
        let mut out = String::new();
        for (at, value) in thinned {
            let (x, y) = (px(times.x(*at)), px(axis.y(*value)));
            let _ = match (out.is_empty(), self.stepped) {
                (true, _) => write!(out, "M{x} {y}"),
                (false, true) => write!(out, "H{x}V{y}"),
                (false, false) => write!(out, "L{x} {y}"),
            };
        }
        if !out.is_empty() && !out.contains(['H', 'L']) {
            // A single point is seen as a dot.
            out += "h0";
        }
        out
    }
}

/// A limit across a plot, with its name at the right end.
pub(super) fn limit(at: f64, name: &str, axis: Axis) -> Markup {
    let y = axis.y(at);
    // Below the line where there is no room above it.
    let above = y > 14.0;
    html! {
        path.limit d={ "M" (px(LEFT)) " " (px(y)) "h" (px(PLOT)) } {}
        text.e.halo x=(px(WIDTH - 14.0)) y=(px(if above { y - 4.0 } else { y + 13.0 })) { (name) }
    }
}
