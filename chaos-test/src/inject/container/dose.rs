use std::time::Duration;

use crate::inject::cpu_exhaust::demand;
use crate::model::DoseReading;
use crate::port::{Work, WorkDone};
use crate::sys::procfs::CpuTime;

/// A look at a helper, and at the groups it is in.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Look {
    /// On the helper's clock.
    pub(super) at: Duration,
    pub(super) helper: WorkDone,
}

/// A look is compared with one that is at least that old, if there is one: the kernel's accounts move in steps.
const WINDOW: Duration = Duration::from_millis(250);
/// What the helper has taken must show in the groups' own count, as far as two looks at different times can agree.
const AGREES: f64 = 0.5;

impl Look {
    /// What the helper was worth since an earlier look, in the unit of its dose.
    pub(super) fn dose(&self, work: Work, before: &[Self]) -> Result<f64, String> {
        match work {
            Work::Burn { load, .. } => {
                let Some(base) = self.base(before) else { return Ok(0.0) };
                Ok(self.burnt_since(base, load))
            }
            Work::Hog { bytes, .. } => self.held_of(bytes),
            Work::Write { .. } => Ok(f64::from(self.helper.workers)),
        }
    }

    /// Remembers it, and forgets what no later look is compared with.
    pub(super) fn keep(self, looks: &mut Vec<Self>) {
        let settled = looks.iter().rposition(|look| self.at.saturating_sub(look.at) >= WINDOW);
        looks.drain(..settled.unwrap_or(0));
        looks.push(self);
    }

    fn base<'a>(&self, before: &'a [Self]) -> Option<&'a Self> {
        let settled = before.iter().rev().find(|look| self.at.saturating_sub(look.at) >= WINDOW);
        settled.or_else(|| before.first())
    }

    /// Cores, by what each of the workers used and waited.
    fn burnt_since(&self, base: &Self, load: f64) -> f64 {
        let workers = self.helper.workers;
        if workers == 0 {
            return 0.0;
        }
        let grown = |now: Duration, before: Duration| now.saturating_sub(before);
        let used = grown(self.helper.used, base.helper.used);
        let in_groups = grown(self.helper.group_processor, base.helper.group_processor);
        if in_groups < used.mul_f64(AGREES) {
            return 0.0;
        }
        let each =
            CpuTime { used: used / workers, waited: grown(self.helper.waited, base.helper.waited) / workers };
        let elapsed = self.at.saturating_sub(base.at);
        demand(&CpuTime::default(), &each, elapsed, load) * f64::from(workers)
    }

    /// Bytes.
    fn held_of(&self, asked: u64) -> Result<f64, String> {
        let held = self.helper.held as f64;
        if self.helper.at_the_floor && held <= asked as f64 * DoseReading::ENOUGH {
            return Err(format!(
                "the hog stopped at {} MiB of {}, for less than the floor would have stayed free",
                self.helper.held >> 20,
                asked >> 20
            ));
        }
        let counted = self.helper.workers > 0 && self.helper.group_memory as f64 >= held * AGREES;
        Ok(if counted { held } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(at: u64, used: u64, waited: u64, groups: u64) -> Look {
        let ms = Duration::from_millis;
        let helper = WorkDone {
            workers: 2,
            used: ms(used),
            waited: ms(waited),
            group_processor: ms(groups),
            group_memory: 64 << 20,
            ..WorkDone::default()
        };
        Look { at: ms(at), helper }
    }

    const TWO: Work = Work::Burn { workers: 2, load: 1.0 };

    #[test]
    fn who_waits_in_a_limited_group_counts_for_what_it_asks() {
        let before = [Look::default()];
        assert_eq!(look(1000, 500, 1500, 500).dose(TWO, &before), Ok(2.0), "half a core for both");
        assert_eq!(look(1000, 2000, 0, 2000).dose(TWO, &before), Ok(2.0));
        assert_eq!(look(1000, 500, 1500, 0).dose(TWO, &before), Ok(0.0), "not in the groups' count");
    }

    #[test]
    fn a_look_is_compared_with_one_that_is_old_enough() {
        let mut looks = vec![look(0, 0, 0, 0)];
        look(300, 600, 0, 600).keep(&mut looks);
        look(500, 600, 0, 600).keep(&mut looks);
        assert_eq!(looks.len(), 3);
        look(600, 600, 0, 600).keep(&mut looks);
        assert_eq!(looks[0].at, Duration::from_millis(300));
        assert_eq!(look(560, 600, 0, 600).dose(TWO, &looks), Ok(0.0), "nothing since");
    }

    #[test]
    fn memory_counts_if_the_group_has_it() {
        let hog = Work::Hog { bytes: 64 << 20, ramp: Duration::ZERO };
        let mut now = look(100, 0, 0, 0);
        now.helper.held = 48 << 20;
        assert_eq!(now.dose(hog, &[]), Ok(f64::from(48 << 20)));
        now.helper.group_memory = 8 << 20;
        assert_eq!(now.dose(hog, &[]), Ok(0.0));
        now.helper = WorkDone { workers: 1, held: 8 << 20, at_the_floor: true, ..WorkDone::default() };
        assert!(now.dose(hog, &[]).is_err());
    }
}
