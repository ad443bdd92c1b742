use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chaos_test::model::Fault;
use chaos_test::port::{
    Dose, InjectError, Injector, ObserveError, Prepared, Presence, RevertError, RevertRecord, Support, Target,
};

use crate::{Answer, Stub};

/// A fault that lets stubs follow a script: what each answers, from when after the injection, for how long.
#[derive(Clone)]
pub struct Scripted {
    parts: Vec<Part>,
    /// Whether the scripts go on when the fault is gone.
    lasting: bool,
    running: Arc<Mutex<Vec<tokio::task::AbortHandle>>>,
    gone: Arc<Mutex<Option<Instant>>>,
}

/// One stub, what it is told, and when it really was.
#[derive(Clone)]
struct Part {
    stub: Stub,
    script: Vec<(Duration, Answer)>,
    truth: Arc<Mutex<Vec<(Instant, Answer)>>>,
}

impl Scripted {
    /// A stub and its script: instants after the injection, in order.
    pub fn new(stub: Stub, script: Vec<(Duration, Answer)>) -> Self {
        Self::many(vec![(stub, script)])
    }

    /// Several of them.
    pub fn many(parts: Vec<(Stub, Vec<(Duration, Answer)>)>) -> Self {
        let part = |(stub, script)| Part { stub, script, truth: Arc::default() };
        let parts = parts.into_iter().map(part).collect();
        Self { parts, lasting: false, running: Arc::default(), gone: Arc::default() }
    }

    /// The scripts go on when the fault is gone, as a service does that takes its time to recover.
    pub fn lasting(self) -> Self {
        Self { lasting: true, ..self }
    }

    /// When the first stub was really told what.
    pub fn truth(&self) -> Vec<(Instant, Answer)> {
        self.truth_of(0)
    }

    /// When that stub was.
    pub fn truth_of(&self, stub: usize) -> Vec<(Instant, Answer)> {
        self.parts[stub].truth.lock().expect("nobody panics while holding it").clone()
    }

    /// When the fault was undone.
    pub fn gone(&self) -> Option<Instant> {
        *self.gone.lock().expect("nobody panics while holding it")
    }

    /// How long after each other two of the first stub's instants were.
    pub fn span(&self, from: usize, to: usize) -> Duration {
        let truth = self.truth();
        truth[to].0 - truth[from].0
    }
}

impl Injector for Scripted {
    fn support(&self, _fault: &Fault, _target: &Target) -> Support {
        Support::yes("script")
    }

    async fn prepare(
        &self,
        _fault: &Fault,
        target: &Target,
        _mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        let id = format!("script-{}-{}", std::process::id(), target.service);
        Ok(Prepared::new(RevertRecord::new(id, "script", &target.service), "script", "a script"))
    }

    async fn inject(&self, _prepared: &Prepared) -> Result<(), InjectError> {
        let start = tokio::time::Instant::now();
        let mut running = self.running.lock().expect("nobody panics while holding it");
        for part in self.parts.iter().cloned() {
            let task = tokio::spawn(async move {
                for (after, answer) in &part.script {
                    tokio::time::sleep_until(start + *after).await;
                    part.stub.tell(*answer);
                    part.truth
                        .lock()
                        .expect("nobody panics while holding it")
                        .push((Instant::now(), *answer));
                }
            });
            running.push(task.abort_handle());
        }
        Ok(())
    }

    async fn observe(&self, _record: &RevertRecord) -> Result<Presence, ObserveError> {
        let there = !self.running.lock().expect("nobody panics while holding it").is_empty();
        Ok(Presence::of(Dose::new(1.0, f64::from(u8::from(there)))))
    }

    async fn revert(&self, _record: &RevertRecord) -> Result<(), RevertError> {
        let running = std::mem::take(&mut *self.running.lock().expect("nobody panics while holding it"));
        if !running.is_empty() {
            self.gone.lock().expect("nobody panics while holding it").get_or_insert_with(Instant::now);
        }
        if !self.lasting {
            for (task, part) in running.iter().zip(&self.parts) {
                task.abort();
                part.stub.tell(Answer::Well);
            }
        }
        Ok(())
    }
}
