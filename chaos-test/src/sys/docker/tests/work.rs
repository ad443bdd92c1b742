//! Work in the groups of a container, and the end of its first process.

use std::time::Duration;

use super::has_engine;
use crate::port::{ContainerControl, ContainerStatus, Work, WorkDone};
use crate::sys::docker::stand_in::{Likeness, StandIn, stand_in};
use crate::sys::{owner, timer};

const BURN: Work = Work::Burn { workers: 1, load: 1.0 };

async fn begun(app: &StandIn, work: Work) -> String {
    let mark = owner::new_mark();
    app.container.work(&mark, work).await.expect("a helper");
    mark
}

async fn look(app: &StandIn, mark: &str) -> WorkDone {
    app.container.working(mark).await.expect("an answer").expect("it works")
}

/// What each has used in that time, and what the groups of the first have counted.
async fn used(whose: [(&StandIn, &str); 2], time: Duration) -> [Duration; 3] {
    let [one, other] = whose;
    let before = (look(one.0, one.1).await, look(other.0, other.1).await);
    timer::sleep_until(timer::now() + time).await;
    let now = (look(one.0, one.1).await, look(other.0, other.1).await);
    [now.0.used - before.0.used, now.1.used - before.1.used, now.0.group_processor - before.0.group_processor]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_takes_half_of_one_container_and_nothing_of_another() {
    if !has_engine().await {
        return;
    }
    let one_processor = Likeness { processors: Some(1.0), ..Likeness::default() };
    let app = stand_in("app", one_processor).await.expect("there is an engine");
    let other = stand_in("other", one_processor).await.expect("there is an engine");
    // They stand for what the services themselves do.
    let own = begun(&app, BURN).await;
    let others = begun(&other, Work::Burn { workers: 1, load: 0.2 }).await;
    let whose = [(&app, own.as_str()), (&other, others.as_str())];
    let time = Duration::from_secs(3);
    let before = used(whose, time).await;
    let worker = begun(&app, BURN).await;
    let during = used(whose, time).await;
    app.container.cease(&worker).await.expect("it ends");
    let after = used(whose, time).await;
    let share = |used: [Duration; 3]| used[0].div_duration_f64(used[2]);
    eprintln!("own, other's, group's: {before:?} {during:?} {after:?}");
    assert!(share(before) > 0.9, "alone it has all that its container gets");
    assert!((0.4..0.6).contains(&share(during)), "the worker halves it: {}", share(during));
    assert!(share(after) > 0.9, "and leaves it as it was");
    let slowed = during[1].div_duration_f64(before[1]);
    assert!(slowed > 0.7, "the other container has what it had: {slowed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_writes_does_so_beside_the_containers_data() {
    if !has_engine().await {
        return;
    }
    for volume in [true, false] {
        let app = stand_in("app", Likeness { volume, ..Likeness::default() }).await.expect("an engine");
        let mark = begun(&app, Work::Write { workers: 2, most: 32 << 20 }).await;
        timer::sleep_until(timer::now() + Duration::from_secs(1)).await;
        let done = look(&app, &mark).await;
        app.container.cease(&mark).await.expect("it ends");
        eprintln!("volume {volume}: wrote {} MiB", done.written >> 20);
        assert!(done.workers > 0 && done.written > 0, "{done:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hog_beyond_the_limit_ends_and_its_container_does_not() {
    if !has_engine().await {
        return;
    }
    let like = Likeness { memory: Some(64 << 20), ..Likeness::default() };
    let app = stand_in("app", like).await.expect("an engine");
    let before = app.container.look().await.expect("a state");
    let mark = begun(&app, Work::Hog { bytes: 128 << 20, ramp: Duration::from_millis(200) }).await;
    for _ in 0..200 {
        if app.container.working(&mark).await.expect("an answer").is_none() {
            assert_eq!(app.container.look().await.expect("a state"), before, "the service goes on");
            return;
        }
        timer::sleep_until(timer::now() + Duration::from_millis(20)).await;
    }
    panic!("the limit did not hold");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_brings_back_what_crashed_and_not_what_was_killed() {
    if !has_engine().await {
        return;
    }
    let app = stand_in("app", Likeness { restarts: true, ..Likeness::default() }).await.expect("an engine");
    let before = app.container.look().await.expect("a state");
    app.container.crash(&before.started_at).await.expect("it can be done");
    let mut after = before.clone();
    for _ in 0..250 {
        after = app.container.look().await.expect("a state");
        if after.status == ContainerStatus::Running && after.started_at != before.started_at {
            break;
        }
        timer::sleep_until(timer::now() + Duration::from_millis(20)).await;
    }
    assert_eq!((after.status, after.restarts), (ContainerStatus::Running, 1));
    app.container.kill().await.expect("it can be done");
    timer::sleep_until(timer::now() + Duration::from_secs(2)).await;
    let held = app.container.look().await.expect("a state");
    assert_eq!((held.status, held.exit_code), (ContainerStatus::Exited, Some(137)));
}
