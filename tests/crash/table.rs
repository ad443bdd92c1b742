//! How long it took until nothing was left, by what was killed and when.

use std::time::Duration;

use suite::figures::Times;

use crate::aim::PHASES;

/// One kill, and what came of it.
#[derive(Debug, Clone)]
pub(crate) struct Kill {
    /// What ran: a family of faults, or all in one process.
    pub(crate) family: &'static str,
    pub(crate) phase: &'static str,
    /// Who was killed, and how it was started.
    pub(crate) how: String,
    /// From the kill until nothing but a reaper was there.
    pub(crate) clean: Duration,
    /// From the kill until its reaper was gone as well.
    pub(crate) alone: Duration,
}

/// Prints what there is to know of the kills.
pub(crate) fn print(kills: &[Kill]) {
    println!(
        "from the kill until nothing is left, in ms (the reaper itself ends a little later: last column)"
    );
    println!(
        "{:<18} {:<16} {:>4} {:>8} {:>8} {:>8} {:>10}",
        "", "killed in", "n", "p50", "p99", "max", "alone max"
    );
    let mut families: Vec<&str> = kills.iter().map(|kill| kill.family).collect();
    families.sort_unstable();
    families.dedup();
    for family in &families {
        for phase in PHASES {
            row(family, phase, kills.iter().filter(|kill| kill.family == *family && kill.phase == phase));
        }
        row(family, "all", kills.iter().filter(|kill| kill.family == *family));
    }
    for phase in PHASES {
        row("all", phase, kills.iter().filter(|kill| kill.phase == phase));
    }
    let mut ways: Vec<&str> = kills.iter().map(|kill| kill.how.as_str()).collect();
    ways.sort_unstable();
    ways.dedup();
    for how in ways {
        row(how, "all", kills.iter().filter(|kill| kill.how == how));
    }
    row("all", "all", kills.iter());
}

fn row<'k>(name: &str, phase: &str, kills: impl Iterator<Item = &'k Kill>) {
    let (clean, alone): (Vec<_>, Vec<_>) = kills.map(|kill| (kill.clean, kill.alone)).unzip();
    let (clean, alone) = (Times::of(clean), Times::of(alone));
    if clean.count() > 0 {
        println!(
            "{name:<18} {phase:<16} {:>4} {:>8.1} {:>8.1} {:>8.1} {:>10.1}",
            clean.count(),
            clean.quantile_ms(0.5),
            clean.quantile_ms(0.99),
            clean.quantile_ms(1.0),
            alone.quantile_ms(1.0),
        );
    }
}
