use super::*;
use crate::model::{AbortConditions, Sample, StreamKind};

const H: Duration = Duration::from_secs(2);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn stream(interval: Duration) -> Stream {
    Stream {
        name: "app".into(),
        kind: StreamKind::Probe,
        interval,
        timeout: Duration::from_secs(30),
        samples: Vec::new(),
    }
}

/// What came of the samples of one stream, one every `interval` from zero on; `None` is still under way.
fn slots(
    interval: Duration,
    of: impl IntoIterator<Item = Option<Outcome>>,
) -> Vec<(Duration, Option<Sample>)> {
    let slot = |(n, outcome): (usize, Option<Outcome>)| {
        let at = interval * u32::try_from(n).expect("a short list");
        (at, outcome.map(|outcome| Sample { at, lag: Duration::ZERO, latency: ms(5), outcome }))
    };
    of.into_iter().enumerate().map(slot).collect()
}

fn good(n: usize) -> impl Iterator<Item = Option<Outcome>> {
    std::iter::repeat_n(Some(Outcome::Good), n)
}

fn bad(n: usize) -> impl Iterator<Item = Option<Outcome>> {
    std::iter::repeat_n(Some(Outcome::ConnectError), n)
}

fn seen<'a>(stream: &'a Stream, slots: &'a Slots, now: Duration) -> Seen<'a> {
    Seen { stream, slots, sent: &[], now, from: Duration::ZERO, phase_began: Duration::ZERO }
}

fn percent(limit: f64) -> Percent {
    Percent::new(limit).expect("a percentage")
}

#[test]
fn a_rate_is_of_the_last_five_intervals_of_the_phase() {
    let app = stream(ms(100));
    // Ten good seconds, then four bad ones.
    let slots = slots(ms(100), good(100).chain(bad(40)));
    let rate = |now, limit| seen(&app, &slots, now).error_rate(percent(limit), H);
    assert_eq!(rate(ms(14_000), 50.0), None, "40 of 100");
    let cause = rate(ms(14_000), 39.0);
    assert!(
        matches!(cause, Some(AbortCause::ErrorRate { bad: 40, of: 100, within, .. }) if within == 5 * H),
        "{cause:?}"
    );
    assert_eq!(rate(ms(14_000), 40.0), None, "at the limit is within it");
}

#[test]
fn a_rate_waits_for_half_its_window_and_for_twenty_samples() {
    let app = stream(ms(100));
    let all_bad = slots(ms(100), bad(100));
    let rate = |now| seen(&app, &all_bad, now).error_rate(percent(50.0), H);
    assert_eq!(rate(ms(4_900)), None, "a blip");
    assert!(rate(ms(5_000)).is_some());

    let slow = stream(H);
    let few = slots(H, bad(19));
    assert_eq!(
        seen(&slow, &few, 19 * H).error_rate(percent(50.0), H),
        None,
        "five samples are in ten seconds"
    );

    // What was before the phase does not count.
    let began = Seen { phase_began: ms(8_000), ..seen(&app, &all_bad, ms(10_000)) };
    assert_eq!(began.error_rate(percent(50.0), H), None);
}

#[test]
fn a_row_takes_the_number_and_the_time_of_as_many_health_checks() {
    let app = stream(ms(20));
    let row = |bad_ones: usize| {
        let slots = slots(ms(20), good(10).chain(bad(bad_ones)));
        seen(&app, &slots, ms(60_000)).failures_in_a_row(10, H)
    };
    assert_eq!(row(10), None, "a fifth of a second is no ten checks");
    assert_eq!(row(900), None, "17.98 s");
    let cause = row(901);
    assert!(
        matches!(cause, Some(AbortCause::ConsecutiveFailures { count: 901, lasting, .. }) if lasting == 9 * H),
        "{cause:?}"
    );
    // With samples as far apart as checks, or farther, it is just the number.
    let slow = stream(ms(3_000));
    let few = slots(ms(3_000), good(1).chain(bad(10)));
    assert!(seen(&slow, &few, ms(60_000)).failures_in_a_row(10, H).is_some());
    assert_eq!(seen(&slow, &few[..10], ms(60_000)).failures_in_a_row(10, H), None);
}

#[test]
fn a_sample_under_way_breaks_no_row_and_a_good_one_does() {
    let slow = stream(H);
    let with = |middle: Option<Outcome>| {
        let slots = slots(H, bad(5).chain([middle]).chain(bad(5)));
        seen(&slow, &slots, ms(60_000)).failures_in_a_row(10, H)
    };
    assert!(with(None).is_some());
    assert_eq!(with(Some(Outcome::Good)), None);
}

#[test]
fn a_row_counts_from_where_the_conditions_apply() {
    let slow = stream(H);
    let slots = slots(H, bad(12));
    let later = Seen { from: 5 * H, ..seen(&slow, &slots, ms(60_000)) };
    assert_eq!(later.failures_in_a_row(10, H), None);
    assert!(later.failures_in_a_row(7, H).is_some());
}

#[test]
fn an_answer_that_is_still_to_come_is_late_as_well() {
    let app = stream(ms(1_000));
    let limit = ms(5_000);
    let look = |slots: &Slots, now| seen(&app, slots, now).response_time(limit, &mut 0);
    let pending = slots(ms(1_000), good(1).chain([None]).chain(good(5)));
    let since = |sent: Option<Duration>, now| {
        let sent = [Some(ms(0)), sent];
        Seen { sent: &sent, ..seen(&app, &pending, now) }.response_time(limit, &mut 0)
    };
    let at_once = Some(ms(1_000));
    assert_eq!(since(at_once, ms(6_000)), None, "five seconds so far");
    let cause = since(at_once, ms(6_001));
    assert!(matches!(cause, Some(AbortCause::ResponseTime { pending: true, took, .. }) if took == ms(5_001)));
    // A harness that came late sent it late; and what it has not sent yet nobody keeps waiting.
    assert_eq!(since(Some(ms(1_700)), ms(6_700)), None);
    assert!(since(Some(ms(1_700)), ms(6_701)).is_some());
    assert_eq!(since(None, ms(60_000)), None);

    let mut answered = slots(ms(1_000), good(3));
    answered[2].1.as_mut().expect("it is settled").latency = ms(5_200);
    let cause = look(&answered, ms(8_000));
    assert!(
        matches!(cause, Some(AbortCause::ResponseTime { pending: false, took, .. }) if took == ms(5_200))
    );
    // What was dropped was never sent, so it has taken no time.
    answered[2].1.as_mut().expect("it is settled").outcome = Outcome::Dropped;
    assert_eq!(look(&answered, ms(8_000)), None);
}

#[test]
fn every_answer_is_looked_at_once_and_those_under_way_until_they_are_there() {
    let app = stream(ms(100));
    let mut list = slots(ms(100), good(2).chain([None]).chain(good(2)));
    let mut checked = 0;
    let sent = [ms(0), ms(100), ms(200), ms(300), ms(400)].map(Some);
    let early = Seen { sent: &sent, ..seen(&app, &list, ms(500)) };
    assert_eq!(early.response_time(ms(5_000), &mut checked), None);
    assert_eq!(checked, 2, "the third is under way");
    list[2].1 = Some(Sample { at: ms(200), lag: ms(0), latency: ms(6_000), outcome: Outcome::Good });
    assert!(seen(&app, &list, ms(6_300)).response_time(ms(5_000), &mut checked).is_some());
}

#[test]
fn what_times_out_at_the_limit_or_before_does_not_take_longer() {
    let limit = ms(5_000);
    let app = Stream { timeout: limit, ..stream(ms(1_000)) };
    let mut list = slots(ms(1_000), good(1).chain([None]));
    let pending = Seen { sent: &[Some(ms(0)), Some(ms(1_000))], ..seen(&app, &list, ms(9_000)) };
    assert_eq!(pending.response_time(limit, &mut 0), None);
    let late = Sample { at: ms(1_000), lag: ms(4), latency: ms(5_005), outcome: Outcome::Timeout };
    list[1].1 = Some(late);
    assert_eq!(seen(&app, &list, ms(9_000)).response_time(limit, &mut 0), None);
    // How late the harness itself was is no time of the service's.
    let app = stream(ms(1_000));
    list[1].1 = Some(Sample { lag: ms(3_000), latency: ms(7_900), outcome: Outcome::Good, ..late });
    assert_eq!(seen(&app, &list, ms(9_000)).response_time(limit, &mut 0), None);
}

#[test]
fn no_condition_never_trips() {
    let app = stream(ms(100));
    let slots = slots(ms(100), bad(1000));
    let guard = Guard { conditions: AbortConditions::default(), own: true, interval: H };
    assert_eq!(seen(&app, &slots, ms(100_000)).meets(&guard, &mut 0), None);
}

/// A fault from 10 s to 20 s; its chaos phase goes on to 30 s.
fn marks() -> Marks {
    Marks { injected: Some(ms(10_000)), removed: Some(ms(20_000)), ..Marks::default() }
}

#[test]
fn after_an_outage_made_on_purpose_it_counts_from_the_first_good_sample() {
    let list = slots(ms(1_000), good(10).chain(bad(15)).chain(good(5)));
    let patience = Some(Some(ms(45_000)));
    let from = |now: u64, upto: usize| counted_from(&marks(), ms(now), &list[..upto], patience);
    assert_eq!(from(24_000, 24), None, "it is not back yet");
    assert_eq!(from(26_000, 26), Some((ms(25_000), ms(25_000))));
    // Not back as soon as it must be, that is no part of the fault any more.
    assert_eq!(from(64_000, 24), None);
    assert_eq!(from(66_000, 24), Some((ms(65_000), ms(65_000))));
    // While the fault is in, nothing counts.
    let still_in = Marks { removed: None, ..marks() };
    assert_eq!(counted_from(&still_in, ms(15_000), &list[..15], patience), None);
    // Another fault, or the scenario's own conditions: from the injection on, and per phase.
    assert_eq!(counted_from(&marks(), ms(24_000), &list, None), Some((ms(10_000), ms(10_000))));
    let ended = Marks { chaos_ended: Some(ms(30_000)), ..marks() };
    assert_eq!(counted_from(&ended, ms(34_000), &list, None), Some((ms(10_000), ms(30_000))));
}

/// A clock on which time passes by being waited for.
#[derive(Default)]
struct Waited(std::sync::Mutex<Duration>);

impl Clock for Waited {
    fn now(&self) -> Duration {
        *self.0.lock().expect("nobody panics while holding it")
    }
    fn sleep_until(&self, at: Duration) -> crate::port::BoxFuture<'static, ()> {
        let mut now = self.0.lock().expect("nobody panics while holding it");
        *now = at.max(*now);
        Box::pin(tokio::task::yield_now())
    }
}

/// What stops work that never ends, and when.
fn stopped(
    deadlines: Vec<(Duration, String)>,
    cancel: watch::Receiver<Option<AbortCause>>,
) -> crate::model::Abort {
    let recorder = Arc::new(Recorder::new());
    let mut guardian = Guardian {
        clock: Arc::new(Waited::default()),
        recorder: Arc::clone(&recorder),
        cancel,
        deadlines,
        guard: Guard { conditions: AbortConditions::default(), own: true, interval: H },
        patient: None,
        checked: Vec::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert_eq!(runtime.block_on(guardian.over(std::future::pending::<()>())), None);
    recorder.finish().abort.expect("it says why")
}

#[test]
fn work_that_hangs_is_stopped_at_its_deadline() {
    let (_asks, cancel) = watch::channel(None);
    let deadlines =
        vec![(ms(90_000), "the scenario's deadline of 90 s".into()), (ms(60_000), "the other".into())];
    let abort = stopped(deadlines, cancel);
    assert_eq!(abort.cause, AbortCause::Deadline("the other".into()));
    assert!(abort.at >= ms(60_000) && abort.at < ms(61_000), "{:?}", abort.at);
}

#[test]
fn somebody_who_asks_is_heard_and_nobody_left_is_a_run_given_up() {
    let (asks, cancel) = watch::channel(Some(AbortCause::Signal("SIGTERM".into())));
    assert_eq!(stopped(Vec::new(), cancel.clone()).cause, AbortCause::Signal("SIGTERM".into()));
    asks.send_replace(None);
    drop(asks);
    assert_eq!(stopped(Vec::new(), cancel).cause, AbortCause::Dropped);
}
