use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Marks, Phase};

/// What a service used through a run: all of its processes together.
///
/// ```
/// use chaos_test::model::{Marks, Phase, ServiceResources};
///
/// // How much memory it did not give back.
/// fn kept(app: &ServiceResources, marks: &Marks) -> Option<u64> {
///     let most = |phase| app.used_in(phase, marks).map(|used| used.resident);
///     Some(most(Phase::Recovery)?.saturating_sub(most(Phase::Baseline)?))
/// }
/// assert_eq!(kept(&ServiceResources::of("app"), &Marks::default()), None, "nothing was read");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServiceResources {
    /// The service.
    pub service: String,
    /// In order of time, at most [`MOST`](Self::MOST): of a longer run, neighbours are put together.
    pub samples: Vec<ResourceSample>,
}

/// What a service used since the sample before.
///
/// ```
/// use chaos_test::model::{Marks, Phase, ResourceSample, ServiceResources};
/// use chaos_test::units::TimeUnits;
///
/// let (at, over) = (1.seconds(), 1.seconds());
/// let first = ResourceSample { at, over, cpu: 0.5, resident: 8 << 20, read: 0, written: 4096, processes: 1 };
/// let mut app = ServiceResources::of("app");
/// app.push(first);
/// app.push(ResourceSample { at: 2.seconds(), resident: 9 << 20, ..first });
/// let used = app.used_in(Phase::Baseline, &Marks::default()).unwrap();
/// assert_eq!((used.cpu, used.resident, used.written), (0.5, 9 << 20, 8192));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResourceSample {
    /// When it was read, from the start of the baseline.
    pub at: Duration,
    /// How long before that the sample before was read.
    pub over: Duration,
    /// Processors used over that time, in the mean: `1.5` is one and a half.
    #[serde(deserialize_with = "super::delivery::number")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::number_or_null"))]
    pub cpu: f64,
    /// Bytes of memory that were resident: what each process has to itself, and the largest share that one has of what
    /// is shared.
    pub resident: u64,
    /// Bytes read from storage over that time.
    pub read: u64,
    /// Bytes written to storage over that time.
    pub written: u64,
    /// How many processes there were.
    pub processes: u32,
}

/// What a service used in one phase.
///
/// ```
/// use chaos_test::model::Used;
/// use chaos_test::units::ByteSize;
///
/// fn told(used: &Used) -> String {
///     format!("{:.2} processors, {} resident at most", used.cpu, ByteSize::new(used.resident))
/// }
/// assert_eq!(told(&Used::default()), "0.00 processors, 0 B resident at most");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Used {
    /// Processors, in the mean.
    pub cpu: f64,
    /// Resident bytes, at most.
    pub resident: u64,
    /// Bytes read from storage.
    pub read: u64,
    /// Bytes written to storage.
    pub written: u64,
}

impl ServiceResources {
    /// The most samples of a service that are kept.
    pub const MOST: usize = 360;

    /// A service of which nothing has been read yet.
    pub fn of(service: impl Into<String>) -> Self {
        Self { service: service.into(), samples: Vec::new() }
    }

    /// Adds the next sample. When there are too many, each two neighbours become one, so that a longer run is told in
    /// the same space, evenly.
    pub fn push(&mut self, sample: ResourceSample) {
        self.samples.push(sample);
        if self.samples.len() > Self::MOST {
            self.samples = self.samples.chunks(2).map(together).collect();
        }
    }

    /// What it used in a phase; `None` without a sample in it. A sample belongs to the phase in which it was read.
    pub fn used_in(&self, phase: Phase, marks: &Marks) -> Option<Used> {
        let samples = self.samples.iter().filter(|sample| marks.phase_of(sample.at) == Some(phase));
        let of_phase: Vec<ResourceSample> = samples.copied().collect();
        let whole = (!of_phase.is_empty()).then(|| together(&of_phase))?;
        Some(Used { cpu: whole.cpu, resident: whole.resident, read: whole.read, written: whole.written })
    }
}

/// Several samples in a row as one; of none, nothing.
fn together(samples: &[ResourceSample]) -> ResourceSample {
    let over: Duration =
        samples.iter().map(|sample| sample.over).fold(Duration::ZERO, Duration::saturating_add);
    let weighted: f64 = samples.iter().map(|sample| sample.cpu * sample.over.as_secs_f64()).sum();
    let sum = |of: fn(&ResourceSample) -> u64| samples.iter().map(of).fold(0, u64::saturating_add);
    ResourceSample {
        at: samples.last().map_or(Duration::ZERO, |last| last.at),
        over,
        cpu: if over.is_zero() { 0.0 } else { weighted / over.as_secs_f64() },
        resident: samples.iter().map(|sample| sample.resident).max().unwrap_or(0),
        read: sum(|sample| sample.read),
        written: sum(|sample| sample.written),
        processes: samples.iter().map(|sample| sample.processes).max().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(n: u64) -> ResourceSample {
        ResourceSample {
            at: Duration::from_secs(n),
            over: Duration::from_secs(1),
            cpu: (n % 2) as f64,
            resident: n,
            read: 1,
            written: 2,
            processes: 3,
        }
    }

    #[test]
    fn a_long_run_is_thinned_out_evenly_and_loses_nothing() {
        let mut resources = ServiceResources::of("app");
        (1..=5000).for_each(|n| resources.push(sample(n)));
        assert!(resources.samples.len() <= ServiceResources::MOST);
        assert!(resources.samples.len() > ServiceResources::MOST / 2 - 1);
        let whole = together(&resources.samples);
        assert_eq!((whole.read, whole.written, whole.resident), (5000, 10_000, 5000));
        assert_eq!(whole.over, Duration::from_secs(5000));
        assert!((whole.cpu - 0.5).abs() < 1e-9, "{}", whole.cpu);
        assert!(resources.samples.is_sorted_by_key(|sample| sample.at));
    }

    #[test]
    fn a_phase_has_its_own_figures() {
        let mut resources = ServiceResources::of("app");
        (1..=30).for_each(|n| resources.push(ResourceSample { cpu: n as f64 / 10.0, ..sample(n) }));
        let at = |seconds| Some(Duration::from_secs(seconds));
        let marks =
            Marks { inject_started: at(10), injected: at(11), chaos_ended: at(20), ..Marks::default() };
        let baseline = resources.used_in(Phase::Baseline, &marks).expect("it has samples");
        assert_eq!((baseline.read, baseline.resident), (9, 9));
        let chaos = resources.used_in(Phase::Chaos, &marks).expect("it has samples");
        assert!((chaos.cpu - 1.5).abs() < 1e-9, "{}", chaos.cpu);
        assert_eq!(ServiceResources::of("other").used_in(Phase::Chaos, &marks), None);
    }
}
