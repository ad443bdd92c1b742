//! What a memory hog does: it takes memory bit by bit and keeps it; and how much the kernel says it has.
#![allow(clippy::disallowed_methods, reason = "sys is where /proc is read")]

use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};

use super::lease::Lease;
use super::timer::now;
use super::{headroom, hook};
use crate::model::Floor;
use crate::units::ByteSize;

/// What a hog is called once it has stopped growing, for less than the floor would have stayed free.
const AT_THE_FLOOR: &str = "chaos-floor";
/// One step of its growth.
const STEP: Duration = Duration::from_millis(10);
/// And at most that much, so that it looks often enough what is free.
const LARGEST_STEP: usize = 32 << 20;
const PAGE: usize = 4096;
/// How often it touches its pages again where it may not lock them, and how many of them in a second at most: that is
/// about a hundredth of a processor.
const ROUND: Duration = Duration::from_secs(5);
const TOUCHES: usize = 100_000;

/// Takes `size` bytes, evenly over `ramp`, and keeps them for as long as the lease holds.
///
/// Every page has content of its own that cannot be compressed, so nobody merges or shrinks it. They are locked where
/// the limits of this user allow it; else they are touched again and again.
pub(crate) fn hoard(size: u64, ramp: Duration) {
    // When memory runs out all the same, the kernel is to take this process and nobody else.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    let Ok(mut arena) = usize::try_from(size).map_err(io::Error::other).and_then(Arena::new) else {
        hook::exit_with(libc::ENOMEM)
    };
    let locked = arena.lock();
    let lease = Lease::begin();
    let begun = now();
    while arena.taken < arena.size {
        let elapsed = now() - begun;
        let due =
            if elapsed >= ramp { arena.size } else { arena.size.min(portion(arena.size, elapsed, ramp)) };
        let step = due.saturating_sub(arena.taken).min(LARGEST_STEP);
        if step > 0 && !leaves_enough(step) {
            let _ = fs::write("/proc/self/comm", AT_THE_FLOOR);
            break;
        }
        arena.take(step);
        // Behind its time it only looks whether it should go on.
        let wait = if arena.taken < due { Duration::ZERO } else { STEP };
        if !lease.holds_until(now() + wait) {
            return;
        }
    }
    if locked {
        return lease.wait_for_its_end();
    }
    // A tenth of a second at a time.
    let pages = arena.taken.div_ceil(PAGE);
    let at_once = (pages / (ROUND.as_millis() as usize / 100)).clamp(1, TOUCHES / 10);
    let mut next = 0;
    while lease.holds_until(now() + Duration::from_millis(100)) {
        for _ in 0..at_once.min(pages) {
            arena.touch(next);
            next = (next + 1) % pages;
        }
    }
}

/// How much is due after some of the ramp.
fn portion(size: usize, elapsed: Duration, ramp: Duration) -> usize {
    let due = (size as f64 * elapsed.div_duration_f64(ramp)) as usize;
    // Something from the beginning.
    due.max(PAGE)
}

/// Whether that much may be taken. Who cannot tell takes nothing.
fn leaves_enough(bytes: usize) -> bool {
    let Ok(room) = headroom::memory() else { return false };
    Floor::default().check("memory", ByteSize::new(bytes as u64), room).is_ok()
}

/// Private anonymous memory, with nothing beside it that the kernel could count with it.
struct Arena {
    start: NonNull<u8>,
    size: usize,
    taken: usize,
    /// Content of a page that cannot be compressed.
    content: [u8; PAGE],
}

impl Arena {
    fn new(size: usize) -> io::Result<Self> {
        let size = size.next_multiple_of(PAGE).max(PAGE);
        let whole = NonZeroUsize::new(size + 2 * PAGE).ok_or(io::ErrorKind::InvalidInput)?;
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE;
        // SAFETY: a new mapping where nothing was; nobody else knows of it.
        let all = unsafe { mmap_anonymous(None, whole, ProtFlags::PROT_NONE, flags) }?;
        // SAFETY: one page into a mapping of at least three.
        let start = unsafe { all.cast::<u8>().add(PAGE) };
        let rights = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: within the mapping made above, and of whole pages.
        Errno::result(unsafe { libc::mprotect(start.as_ptr().cast(), size, rights) })?;
        let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ size as u64;
        let content = std::array::from_fn(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u8
        });
        Ok(Self { start, size, taken: 0, content })
    }

    /// Locks every page as it comes, if this user may.
    fn lock(&self) -> bool {
        // SAFETY: within the mapping of this arena; a lock changes no content.
        unsafe { libc::mlock2(self.start.as_ptr().cast(), self.size, libc::MLOCK_ONFAULT) == 0 }
    }

    /// Fills so many bytes more, in whole pages.
    fn take(&mut self, bytes: usize) {
        let end = (self.taken + bytes).next_multiple_of(PAGE).min(self.size);
        // All at once is sooner than a fault for each; a kernel before 5.14 cannot, and then they come one by one. No huge
        // pages are asked for: a kernel that has to make room for one first takes seconds for what takes half of one.
        // SAFETY: whole pages within the mapping; they come as they would when they are written to.
        unsafe {
            let start = self.start.add(self.taken).as_ptr().cast();
            libc::madvise(start, end - self.taken, libc::MADV_POPULATE_WRITE);
        }
        while self.taken < end {
            // SAFETY: page by page within the mapping, which is readable and writable.
            unsafe {
                let page = self.start.add(self.taken);
                page.copy_from_nonoverlapping(NonNull::from(&self.content).cast(), PAGE);
            }
            self.touch(self.taken / PAGE);
            self.taken += PAGE;
        }
    }

    /// Writes its number into a page, so that no two are alike.
    fn touch(&mut self, page: usize) {
        // SAFETY: a page of the mapping, and aligned as pages are.
        unsafe { self.start.add(page * PAGE).cast::<u64>().write_volatile(page as u64 + 1) };
    }
}

/// How much private memory a hog has, by the kernel: what is in memory now. What was swapped out, merged with others or
/// given up for the taking does not count, nor does what every program has.
pub(crate) fn hoarded(pid: u32) -> io::Result<u64> {
    Ok(largest(&fs::read_to_string(format!("/proc/{pid}/smaps"))?))
}

/// Whether a hog has stopped growing, for less than the floor would have stayed free.
pub(crate) fn is_at_the_floor(pid: u32) -> bool {
    super::procfs::name(pid).is_some_and(|name| name == AT_THE_FLOOR)
}

/// Of the largest mapping without a file or a name, in bytes.
fn largest(smaps: &str) -> u64 {
    let (mut most, mut found, mut counts) = (0_u64, 0_u64, false);
    for line in smaps.lines() {
        let mut words = line.split_ascii_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if let Some((start, end)) = first.split_once('-') {
            let at = |text| u64::from_str_radix(text, 16).unwrap_or_default();
            let size = at(end).saturating_sub(at(start));
            counts = second == "rw-p" && words.nth(2) == Some("0") && words.next().is_none() && size > most;
            if counts {
                (most, found) = (size, 0);
            }
        } else if counts {
            let bytes = second.parse::<u64>().unwrap_or_default().saturating_mul(1024);
            match first {
                "Pss:" => found = bytes,
                "LazyFree:" | "KSM:" => found = found.saturating_sub(bytes),
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arena_takes_what_it_is_told_and_the_kernel_counts_it() {
        let mut arena = Arena::new(48 << 20).expect("there is that much");
        let here = || hoarded(std::process::id()).expect("it is ours");
        arena.take(16 << 20);
        // Where the kernel gives huge pages without being asked they come as a whole.
        assert!((16 << 20..=18 << 20).contains(&here()), "{}", here());
        arena.take(64 << 20);
        assert_eq!(arena.taken, 48 << 20, "and no more than its size");
        assert_eq!(here(), 48 << 20);
    }

    #[test]
    fn growth_is_even_and_begins_at_once() {
        let ramp = Duration::from_secs(2);
        assert_eq!(portion(1 << 30, Duration::ZERO, ramp), PAGE);
        assert_eq!(portion(1 << 30, ramp / 2, ramp), 1 << 29);
    }

    #[test]
    fn only_private_memory_that_is_there_counts() {
        let smaps = "\
00400000-7f400000 rw-p 00000000 fe:00 123 /usr/bin/program
Pss:             9000000 kB
10000000-10800000 rw-p 00000000 00:00 0 [heap]
Pss:                8192 kB
7f0000000000-7f0000400000 rw-p 00000000 00:00 0
Rss:                4096 kB
Pss:                3072 kB
LazyFree:           1024 kB
KSM:                  48 kB
Swap:               1024 kB
7f0000500000-7f0000600000 rw-p 00000000 00:00 0
Pss:                1024 kB
7f0000600000-7f0002600000 ---p 00000000 00:00 0
Pss:                   0 kB
";
        assert_eq!(largest(smaps), 2_000 << 10);
        assert_eq!(largest(""), 0);
    }
}
