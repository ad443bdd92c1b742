use std::sync::mpsc::sync_channel;
use std::thread;

use chaos_test::__cli as support;

/// More readers than this wait for the disk and for each other.
const MOST: usize = 8;

/// Makes something of each of many things, on as many threads as there are processors, and hands it on in the order of the
/// things. At most two a thread wait to be taken, so that memory stays bounded.
pub(super) fn each<I: Sync, T: Send>(
    things: &[I],
    make: impl Fn(&I) -> T + Sync,
    mut take: impl FnMut(&I, T),
) {
    let threads = support::processors().clamp(1, MOST).min(things.len());
    thread::scope(|scope| {
        let lane = |lane: usize| {
            let (send, receive) = sync_channel(1);
            let make = &make;
            scope.spawn(move || {
                // Nobody takes anything any more: the other end has panicked, and that is told there.
                things.iter().skip(lane).step_by(threads).try_for_each(|thing| send.send(make(thing)).ok())
            });
            receive
        };
        let lanes: Vec<_> = (0..threads).map(lane).collect();
        for (n, thing) in things.iter().enumerate() {
            match lanes[n % threads].recv() {
                Ok(made) => take(thing, made),
                // Its thread has panicked, and the scope does so as well.
                Err(_) => break,
            }
        }
    });
}

#[cfg(test)]
mod tests {
    #[test]
    fn everything_is_made_once_and_comes_in_order() {
        for n in [0_u32, 1, 2, 7, 1000] {
            let things: Vec<u32> = (0..n).collect();
            let mut taken = Vec::new();
            super::each(&things, |thing| thing * 2, |thing, made| taken.push((*thing, made)));
            assert_eq!(taken, things.iter().map(|thing| (*thing, thing * 2)).collect::<Vec<_>>());
        }
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_is_not_swallowed() {
        super::each(&[1, 2, 3], |thing| assert_ne!(*thing, 2), |_, ()| {});
    }
}
