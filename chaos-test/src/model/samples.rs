use super::{Marks, Phase, Sample, Stream, StreamKind};

/// All samples of a run that is over, for an objective of the test's own.
///
/// ```
/// use chaos_test::model::{Phase, Samples};
/// fn no_error_at_all(samples: &Samples) -> Result<(), String> {
///     let body = samples.stream("body")?;
///     match body.in_phase(Phase::Chaos).find(|sample| !sample.is_good()) {
///         Some(bad) => Err(format!("{} at {:?}", bad.outcome, bad.at)),
///         None => Ok(()),
///     }
/// }
/// assert!(no_error_at_all(&Samples::default()).is_err(), "there is no such stream");
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    marks: Marks,
    streams: Vec<Stream>,
}

/// The samples of one stream of a run, in the order of their schedule.
///
/// ```
/// use chaos_test::model::{Phase, Samples, StreamSamples};
/// use chaos_test::units::TimeUnits;
///
/// fn is_quick(stream: &StreamSamples<'_>) -> bool {
///     stream.in_phase(Phase::Chaos).all(|sample| sample.latency < 800.ms())
/// }
/// fn slow(samples: &Samples) -> Vec<&str> {
///     samples.streams().filter(|stream| !is_quick(stream)).map(|stream| stream.name()).collect()
/// }
/// assert!(slow(&Samples::default()).is_empty());
/// ```
#[derive(Debug, Clone, Copy)]
pub struct StreamSamples<'s> {
    marks: &'s Marks,
    stream: &'s Stream,
}

impl Samples {
    /// The samples of these streams, cut into phases by the marks.
    pub fn new(marks: Marks, streams: Vec<Stream>) -> Self {
        Self { marks, streams }
    }

    /// The instants that cut the run into phases.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Every stream: one per probe with the name of its service (the second of a service is `app (2)`), `body` for a repeated
    /// body, `requests` for what its client sent, one per endpoint that has bounds.
    pub fn streams(&self) -> impl Iterator<Item = StreamSamples<'_>> {
        self.streams.iter().map(|stream| StreamSamples { marks: &self.marks, stream })
    }

    /// The stream of that name.
    ///
    /// # Errors
    /// There is none: which there are. An objective that looked at nothing would hold for the wrong reason.
    pub fn stream(&self, name: &str) -> Result<StreamSamples<'_>, String> {
        self.streams().find(|stream| stream.name() == name).ok_or_else(|| {
            let known: Vec<String> =
                self.streams.iter().map(|stream| format!("\"{}\"", stream.name)).collect();
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            format!("no samples of \"{name}\": the streams of this run are {known}")
        })
    }
}

impl<'s> StreamSamples<'s> {
    /// Whose samples these are.
    pub fn name(&self) -> &'s str {
        &self.stream.name
    }

    /// What one of them is.
    pub fn kind(&self) -> StreamKind {
        self.stream.kind
    }

    /// All of them.
    pub fn all(&self) -> &'s [Sample] {
        &self.stream.samples
    }

    /// Those that were scheduled in a phase.
    pub fn in_phase(&self, phase: Phase) -> impl Iterator<Item = &'s Sample> {
        let marks = self.marks;
        self.stream.samples.iter().filter(move |sample| marks.phase_of(sample.at) == Some(phase))
    }
}
