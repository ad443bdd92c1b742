use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chaos_test::model::{DoseUnit, Fault};
use chaos_test::port::{
    Dose, InjectError, Injector, ObserveError, Prepared, Presence, RevertError, RevertRecord, Support, Target,
};

use crate::{Answer, Stub};

/// A fault that lets a stub follow a script: what it answers, from when after the injection, for how long.
#[derive(Clone)]
pub struct Scripted {
    stub: Stub,
    script: Vec<(Duration, Answer)>,
    truth: Arc<Mutex<Vec<(Instant, Answer)>>>,
    running: Arc<Mutex<Option<tokio::task::AbortHandle>>>,
}

impl Scripted {
    /// A stub and its script: instants after the injection, in order.
    pub fn new(stub: Stub, script: Vec<(Duration, Answer)>) -> Self {
        Self { stub, script, truth: Arc::default(), running: Arc::default() }
    }

    /// When the stub was really told what.
    pub fn truth(&self) -> Vec<(Instant, Answer)> {
        self.truth.lock().expect("nobody panics while holding it").clone()
    }

    /// How long after each other two of those instants were.
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
        Ok(Prepared {
            record: RevertRecord {
                id: format!("script-{}-{}", std::process::id(), target.service),
                injector: "script".into(),
                service: target.service.clone(),
                payload: serde_json::Value::Null,
                undo: Vec::new(),
            },
            mechanism: "script".into(),
            detail: "a script".into(),
            unit: DoseUnit::Down,
            asked: 1.0,
            steps: Vec::new(),
        })
    }

    async fn inject(&self, _prepared: &Prepared) -> Result<(), InjectError> {
        let this = self.clone();
        let start = tokio::time::Instant::now();
        let task = tokio::spawn(async move {
            for (after, answer) in &this.script {
                tokio::time::sleep_until(start + *after).await;
                this.stub.tell(*answer);
                this.truth.lock().expect("nobody panics while holding it").push((Instant::now(), *answer));
            }
        });
        *self.running.lock().expect("nobody panics while holding it") = Some(task.abort_handle());
        Ok(())
    }

    async fn observe(&self, _record: &RevertRecord) -> Result<Presence, ObserveError> {
        let there = self.running.lock().expect("nobody panics while holding it").is_some();
        Ok(Presence::of(Dose { asked: 1.0, measured: f64::from(u8::from(there)) }))
    }

    async fn revert(&self, _record: &RevertRecord) -> Result<(), RevertError> {
        if let Some(task) = self.running.lock().expect("nobody panics while holding it").take() {
            task.abort();
            self.stub.tell(Answer::Well);
        }
        Ok(())
    }
}
