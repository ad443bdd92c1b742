//! What a whole suite takes with verdicts that come as soon as they can, in virtual time.
//!
//! The 19 built-in scenarios on the staging profile at fifty probes a second, three hundred times, on a mix of simulated
//! services. Seeded: the same figures every time; the table in `docs/statistics.md` is what this prints.

use std::time::Duration;

use chaos_test::model::{Catalogue, Scenario};
use chaos_test::stats::{Decision, MayDecide, Proportion, Question, Sequential, SplitMix};
use suite::{Unsteady, generated};

const SUITES: u64 = 300;
const PER_SECOND: usize = 50;
/// Both shares of the staging profile: errors, and answers slower than allowed.
const LIMIT: f64 = 0.05;
const ERROR: f64 = 0.0005;
/// How long service has to be stable before a watch ends.
const SETTLES: Duration = Duration::from_secs(4);
/// How many in a hundred services are of which truth, in parts of the limit.
const MIX: [(u64, f64); 6] = [(70, 0.0), (10, 0.1), (8, 0.25), (4, 0.5), (4, 2.5), (4, 4.0)];

#[derive(Default)]
struct Came {
    time: Duration,
    tests: u64,
    wrong: u64,
    inconclusive: u64,
}

impl Came {
    fn to(&mut self, time: Duration, decision: Decision, truth: f64) {
        self.time += time;
        self.tests += 1;
        self.inconclusive += u64::from(decision == Decision::Unclear);
        let wrong = if truth > 1.0 { Decision::Within } else { Decision::Beyond };
        self.wrong += u64::from(decision == wrong);
    }

    fn row(&self, what: &str) -> String {
        let share = |count: u64| count as f64 / self.tests as f64 * 100.0;
        format!(
            "| {what} | {:.0} s | {:.2} % | {:.1} % |\n",
            self.time.as_secs_f64() / SUITES as f64,
            share(self.wrong),
            share(self.inconclusive)
        )
    }
}

fn is_a_state(scenario: &Scenario) -> bool {
    !scenario.fault.makes_an_outage() && !scenario.fault.is_an_event()
}

/// One scenario in order: how long its chaos phase lasted, and what it came to.
fn in_order(services: &mut [Unsteady; 2], length: Duration) -> (Duration, Decision) {
    let question = Question { limit: LIMIT, error: ERROR, burst: Question::BURST, longest: Question::BURST };
    let mut shares = [Sequential::new(question), Sequential::new(question)];
    let most = length.as_secs() as usize * PER_SECOND;
    for n in 0..most {
        let may = match n / PER_SECOND {
            0 | 1 => MayDecide::Nothing,
            2..=4 => MayDecide::Beyond,
            _ => MayDecide::Either,
        };
        for (service, share) in services.iter_mut().zip(&mut shares) {
            share.push(service.answers_badly(), n / PER_SECOND, may);
        }
        let decided = shares.each_ref().map(|share| share.decided().map(|(decision, _)| decision));
        if decided.contains(&Some(Decision::Beyond)) {
            return (Duration::from_millis(20) * n as u32, Decision::Beyond);
        }
        if decided == [Some(Decision::Within); 2] {
            return (Duration::from_millis(20) * n as u32, Decision::Within);
        }
    }
    (length, worst(shares.map(|share| share.conclude())))
}

/// The same at its whole length, by exact limits.
fn whole(services: &mut [Unsteady; 2], length: Duration) -> Decision {
    let n = length.as_secs() * PER_SECOND as u64;
    let decide = |service: &mut Unsteady| {
        let k = (0..n).filter(|_| service.answers_badly()).count() as u64;
        Proportion::new(k, n).decide(LIMIT, ERROR)
    };
    worst(services.each_mut().map(decide))
}

fn worst(decisions: [Decision; 2]) -> Decision {
    [Decision::Beyond, Decision::Unclear]
        .into_iter()
        .find(|one| decisions.contains(one))
        .unwrap_or(Decision::Within)
}

#[test]
fn a_suite_takes_a_third_of_its_time() {
    let catalogue = Catalogue::builtin();
    let objectives = catalogue.profile(Some("staging")).expect("it is built in").objectives;
    let recovery = objectives.recovery.time.expect("it has one");
    let watch = objectives.time_to_recover.expect("it has one").max(recovery * 2) + SETTLES;
    let baseline =
        |length: Duration, most: u64| (length / 3).clamp(Duration::from_secs(2), Duration::from_secs(most));
    let (mut sequential, mut exact, mut fixed) = (Came::default(), Came::default(), Came::default());
    for suite in 0..SUITES {
        for (nth, scenario) in catalogue.scenarios().iter().enumerate() {
            let length = scenario.duration;
            let seed = suite * 100 + nth as u64;
            let mut random = SplitMix::new(seed);
            let (mut drawn, of_latency, burst) = (
                (random.unit() * 100.0) as u64,
                random.unit() < 0.5,
                [1.0, 1.0, 3.0][(random.unit() * 3.0) as usize],
            );
            let truth = MIX.iter().find(|(share, _)| {
                let is = drawn < *share;
                drawn = drawn.saturating_sub(*share);
                is
            });
            let truth = truth.map_or(0.0, |(_, truth)| *truth);
            let services = || {
                let of =
                    |weak: bool, seed| Unsteady::new(seed, if weak { truth * LIMIT } else { 0.0 }, burst);
                [of(!of_latency, seed * 2), of(of_latency, seed * 2 + 1)]
            };
            let decided = whole(&mut services(), length);
            fixed.to(baseline(length, 10) + length + watch, decided, truth);
            exact.to(baseline(length, 10) + length + SETTLES, decided, truth);
            if is_a_state(scenario) {
                let (lasted, decided) = in_order(&mut services(), length);
                sequential.to(baseline(length, 4) + lasted + SETTLES, decided, truth);
            } else {
                // An outage is always watched whole.
                sequential.to(baseline(length, 4) + length + SETTLES, decided, truth);
            }
        }
    }
    let share = |part: u64, came: &Came| part as f64 / came.tests as f64;
    assert!(share(sequential.wrong, &sequential) <= 0.01, "{} wrong", sequential.wrong);
    assert!(share(sequential.inconclusive, &sequential) <= 0.08, "{} inconclusive", sequential.inconclusive);
    let times = fixed.time.as_secs_f64() / sequential.time.as_secs_f64();
    assert!(times >= 3.0, "only {times:.2} times as fast");
    let table = format!(
        "| 19 scenarios, staging, 50 probes/s | one suite | wrong | inconclusive |\n|---|---|---|---|\n{}{}{}",
        fixed.row("every phase at its full length"),
        exact.row("`sequential = false`: the watch ends when service has settled"),
        sequential.row(&format!("as it is: {times:.1} times as fast as the first"))
    );
    generated("suite time", &table);
}
