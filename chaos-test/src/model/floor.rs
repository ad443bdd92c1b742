//! How much memory and disk space a fault leaves free.

use std::fmt;

use crate::units::{ByteSize, Percent};

/// What a fault that takes memory or disk space leaves free, however much it was asked to take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Floor {
    /// That share of the whole.
    pub(crate) share: Percent,
    /// And at least that much.
    pub(crate) least: ByteSize,
}

impl Default for Floor {
    /// A tenth of the whole, and at least 512 MiB: a host without memory kills whom it likes, the harness among them.
    fn default() -> Self {
        Self {
            share: Percent::new(10.0).unwrap_or_else(|_| unreachable!("10 is a percentage")),
            least: LEAST,
        }
    }
}

const LEAST: ByteSize = ByteSize::new(512 << 20);

/// How much there is of something, and how much of it is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// What could be taken before somebody is denied.
    pub(crate) free: ByteSize,
    /// All of it.
    pub(crate) total: ByteSize,
}

impl Floor {
    /// What must stay free of that much.
    pub(crate) fn of(&self, total: ByteSize) -> ByteSize {
        // Rounded up, and in whole numbers: past 2^53 a float would be off by some bytes.
        let hundredths = (self.share.value() * 100.0).ceil() as u128;
        let share = (u128::from(total.bytes()) * hundredths).div_ceil(10_000);
        ByteSize::new(u64::try_from(share).unwrap_or(u64::MAX)).max(self.least)
    }

    /// Whether `asked` of `what` (`memory`) may be taken from that room.
    ///
    /// # Errors
    /// Less than the floor would stay free.
    pub(crate) fn check(&self, what: &'static str, asked: ByteSize, room: Room) -> Result<(), BelowFloor> {
        let floor = self.of(room.total);
        let left = room.free.bytes().checked_sub(asked.bytes());
        match left {
            Some(left) if left >= floor.bytes() => Ok(()),
            _ => Err(BelowFloor { what, asked, room, floor }),
        }
    }
}

/// A fault would take so much that less than the floor stays free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BelowFloor {
    /// Of what: `memory`, `disk space`.
    pub(crate) what: &'static str,
    /// How much the fault takes.
    pub(crate) asked: ByteSize,
    /// How much there is.
    pub(crate) room: Room,
    /// How much must stay free.
    pub(crate) floor: ByteSize,
}

impl fmt::Display for BelowFloor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, asked, room: Room { free, total }, floor } = self;
        write!(f, "{asked} of {what} asked, {free} free of {total}, floor {floor}: ")?;
        match free.bytes().checked_sub(floor.bytes()) {
            Some(most) if most > 0 => write!(f, "at most {} can be taken here", ByteSize::new(most)),
            _ => write!(f, "nothing can be taken here"),
        }
    }
}

impl std::error::Error for BelowFloor {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn the_refusal_has_the_numbers() {
        let room = Room { free: ByteSize::new(900 << 20), total: ByteSize::new(24 * GIB) };
        let refusal = Floor::default().check("memory", ByteSize::new(GIB), room).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "1 GiB of memory asked, 900 MiB free of 24 GiB, floor 2.4 GiB: nothing can be taken here"
        );
        let room = Room { free: ByteSize::new(3 * GIB), total: ByteSize::new(4 * GIB) };
        let refusal = Floor::default().check("memory", ByteSize::new(3 * GIB), room).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "3 GiB of memory asked, 3 GiB free of 4 GiB, floor 512 MiB: at most 2.5 GiB can be taken here"
        );
        assert_eq!(Floor::default().check("memory", ByteSize::new(2 * GIB), room), Ok(()));
    }

    proptest! {
        #[test]
        fn what_is_allowed_never_goes_below_the_floor(asked: u64, free: u64, total: u64, share in 0.0..=100.0, least: u64) {
            let floor = Floor { share: Percent::new(share).unwrap(), least: ByteSize::new(least) };
            let room = Room { free: ByteSize::new(free), total: ByteSize::new(total) };
            let kept = floor.of(room.total).bytes();
            prop_assert!(kept >= least && u128::from(kept) * 10_000 >= u128::from(total) * (share * 100.0) as u128);
            match floor.check("memory", ByteSize::new(asked), room) {
                Ok(()) => prop_assert!(free - asked >= kept),
                Err(refusal) => {
                    prop_assert!(free < asked || free - asked < kept);
                    prop_assert!(refusal.to_string().contains("floor"));
                }
            }
        }

        #[test]
        fn less_is_allowed_wherever_more_is(asked: u64, less: u64, free: u64, total: u64) {
            let room = Room { free: ByteSize::new(free), total: ByteSize::new(total) };
            let allowed = |asked| Floor::default().check("memory", ByteSize::new(asked), room).is_ok();
            prop_assert!(!allowed(asked) || allowed(asked.min(less)));
        }
    }
}
