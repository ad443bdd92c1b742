//! How often a verdict on a share is wrong, counted on simulated services.
//!
//! Two thousand services for each true error rate, with independent errors and with bursts of ten on average, probed fifty
//! times a second for as long as a scenario lasts. Seeded: the same figures every time. The table in `docs/statistics.md` is
//! what this prints (`UPDATE_EXPECTED=1` writes it there), and three mistakes planted in the rule have to be noticed here.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::thread::available_parallelism;

use chaos_test::stats::{Decision, MayDecide, Question, Sequential};
use suite::{Unsteady, generated};

const SERVICES: u64 = 2000;
const PER_SECOND: usize = 50;
/// Samples of the first seconds do not yet pass anything.
const SETTLING: usize = 5 * PER_SECOND;
/// The limit, and how many seconds of chaos it is given.
const OBJECTIVES: [(f64, usize); 3] = [(0.01, 120), (0.05, 60), (0.10, 45)];
/// The truth, as a part of the limit.
const TRUTHS: [f64; 11] = [0.0, 0.1, 0.25, 0.5, 0.8, 1.0, 1.1, 1.25, 1.5, 2.0, 4.0];
/// How errors come, in bursts of how many on average, and how long the rule reckons that one may be: a second where checks
/// time out after one, else as many as it always does.
const KINDS: [Kind; 3] = [
    ("one by one", 1.0, Question::BURST),
    ("bursts of 10", 10.0, Question::BURST),
    ("bursts of 10, timed out", 10.0, PER_SECOND as f64),
];
type Kind = (&'static str, f64, f64);

/// The rule as it is, or with a mistake in it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Rule {
    AsItIs,
    /// Whatever error was allowed, every second verdict may be wrong.
    AlphaIgnored,
    /// Bursts are taken for so many independent errors.
    NotThinned,
    /// The first burst goes uncounted.
    OffByOne,
}

impl Rule {
    fn question(self, limit: f64, longest: f64) -> Question {
        let asked = Question { limit, error: 0.0005, burst: Question::BURST, longest };
        match self {
            Self::AsItIs | Self::OffByOne => asked,
            Self::AlphaIgnored => Question { error: 0.5, ..asked },
            Self::NotThinned => Question { burst: 1.0, longest: 1.0, ..asked },
        }
    }
}

#[derive(Default)]
struct Cell {
    pass: u64,
    fail: u64,
    samples: u64,
}

fn cell(rule: Rule, (limit, seconds): (f64, usize), truth: f64, (_, burst, longest): Kind) -> Cell {
    let mut cell = Cell::default();
    for n in 0..SERVICES {
        let mut service = Unsteady::new(n * 1000 + (truth * 100.0) as u64, limit * truth, burst);
        let mut evidence = Sequential::new(rule.question(limit, longest));
        let (mut taken, mut bursts, mut before) = (0, 0, false);
        while taken < seconds * PER_SECOND && evidence.decided().is_none() {
            let bad = service.answers_badly();
            bursts += u64::from(bad && !before);
            before = bad;
            let told = bad && !(rule == Rule::OffByOne && bursts == 1);
            let may = if taken >= SETTLING { MayDecide::Either } else { MayDecide::Beyond };
            evidence.push(told, taken / PER_SECOND, may);
            taken += 1;
        }
        cell.samples += taken as u64;
        match evidence.conclude() {
            Decision::Within => cell.pass += 1,
            Decision::Beyond => cell.fail += 1,
            Decision::Unclear => {}
        }
    }
    cell
}

/// A row of the table, and whether it is wrong more often than it may be.
fn row(rule: Rule, (limit, seconds): (f64, usize), kind: Kind, truth: f64) -> (String, bool) {
    let cell = cell(rule, (limit, seconds), truth, kind);
    let share = |count: u64| count as f64 / SERVICES as f64 * 100.0;
    let wrong = share(if truth <= 1.0 { cell.fail } else { cell.pass });
    let most = if truth <= 0.5 || truth >= 2.0 { 0.1 } else { 1.0 };
    let line = format!(
        "| {:.0} %, {seconds} s | {} | {truth} × | {:.2} % | {:.2} % | {:.2} % | {wrong:.2} % | {:.1} s |",
        limit * 100.0,
        kind.0,
        share(cell.pass),
        share(cell.fail),
        share(SERVICES - cell.pass - cell.fail),
        cell.samples as f64 / (SERVICES * PER_SECOND as u64) as f64,
    );
    (line, wrong > most)
}

/// What each row is of.
fn cells() -> impl Iterator<Item = ((f64, usize), Kind, f64)> + Send {
    let cells =
        OBJECTIVES.into_iter().flat_map(|objective| KINDS.into_iter().map(move |kind| (objective, kind)));
    cells.flat_map(|(objective, kind)| TRUTHS.into_iter().map(move |truth| (objective, kind, truth)))
}

/// The rows in their order. Each is seeded by itself, so it does not matter which of the processors works it out.
fn rows() -> Vec<(String, bool)> {
    let left = Mutex::new(cells().enumerate());
    let work = || {
        let next = || left.lock().expect("nobody panics with it").next();
        let mine = std::iter::from_fn(next);
        mine.map(|(n, (objective, kind, truth))| (n, row(Rule::AsItIs, objective, kind, truth)))
            .collect::<Vec<_>>()
    };
    let processors = available_parallelism().map_or(1, NonZeroUsize::get);
    let mut rows: Vec<_> = std::thread::scope(|threads| {
        let each: Vec<_> = (0..processors).map(|_| threads.spawn(work)).collect();
        each.into_iter().flat_map(|thread| thread.join().expect("it works them out")).collect()
    });
    rows.sort_by_key(|(n, _)| *n);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Whether a row of that rule is wrong more often than it may be.
fn is_noticed(rule: Rule) -> bool {
    cells().any(|(objective, kind, truth)| row(rule, objective, kind, truth).1)
}

#[test]
fn verdicts_are_as_wrong_as_they_say() {
    let mut table = String::from(
        "| limit | errors come | true share | Pass | Fail | Inconclusive | wrong | decided after |\n|---|---|---|---|---|---|---|---|\n",
    );
    let mut wrong = Vec::new();
    for (line, too_often) in rows() {
        let _ = writeln!(table, "{line}");
        wrong.extend(too_often.then_some(line));
    }
    assert!(wrong.is_empty(), "wrong too often:\n{}", wrong.join("\n"));
    generated("calibration", &table);
}

#[test]
fn a_rule_that_ignores_its_error_is_noticed() {
    assert!(is_noticed(Rule::AlphaIgnored));
}

#[test]
fn a_rule_that_takes_bursts_for_single_errors_is_noticed() {
    assert!(is_noticed(Rule::NotThinned));
}

#[test]
fn a_rule_that_does_not_count_the_first_errors_is_noticed() {
    assert!(is_noticed(Rule::OffByOne));
}

/// From how many samples on `k` single errors are within a limit, worked out in another way: by the bound that the best of
/// ten thousand points gives. A rule that counts one more or one less than there is comes to another number.
#[test]
fn so_many_errors_are_within_from_so_many_samples_on() {
    for (limit, k) in [(0.05, 0_u64), (0.05, 1), (0.05, 2), (0.05, 7), (0.01, 0), (0.01, 3), (0.10, 5)] {
        let mut evidence = Sequential::new(Rule::AsItIs.question(limit, Question::BURST));
        let every = 100;
        let mut n = 0_u64;
        let found = loop {
            // The errors come early and one by one.
            evidence.push(n.is_multiple_of(every) && n / every < k, (n / 50) as usize, MayDecide::Either);
            n += 1;
            assert!(n < 50_000);
            let seen = evidence.seen();
            if seen.n > k * every && evidence.evidence().within >= 1.0 {
                break n;
            }
        };
        let bound = |n: u64| {
            let length = (k as f64 + 40.0) / (k as f64 + 4.0);
            let goes_on = 1.0 - 1.0 / length;
            let bursts = n as f64 * limit / length / (1.0 - limit * goes_on);
            let at = |z: f64| {
                (if k == 0 { 0.0 } else { k as f64 * z.ln() }) + bursts * (1.0 - z) / (1.0 - goes_on * z)
            };
            (0..10_000).map(|step| at(f64::from(step) / 10_000.0)).fold(f64::MIN, f64::max)
        };
        let expected =
            (k * every + 1..50_000).find(|n| bound(*n) >= -Question::ERROR_IN_BURSTS.ln()).unwrap();
        assert!(found.abs_diff(expected) <= 1, "limit {limit}, {k} errors: {found}, and not {expected}");
    }
}
