use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use chaos_test::model::Fault;
use chaos_test::port::{
    Dose, InjectError, Injector, ObserveError, Prepared, Presence, RevertError, RevertRecord, Support, Target,
};

/// A fault that does nothing but say when it is in and when it is out: `in 1700000000.125`.
#[derive(Clone, Default)]
pub struct Noted {
    lines: Arc<Mutex<Vec<String>>>,
    aloud: bool,
    there: Arc<Mutex<bool>>,
}

impl Noted {
    /// One that prints its lines as well, for another process to read.
    pub fn aloud() -> Self {
        Self { aloud: true, ..Self::default() }
    }

    /// What it said so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("nobody panics while holding it").clone()
    }

    fn say(&self, what: &str) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is after 1970");
        let line = format!("{what} {:.3}", now.as_secs_f64());
        if self.aloud {
            println!("{line}");
        }
        self.lines.lock().expect("nobody panics while holding it").push(line);
    }

    fn set(&self, there: bool) -> bool {
        std::mem::replace(&mut *self.there.lock().expect("nobody panics while holding it"), there)
    }
}

impl Injector for Noted {
    fn support(&self, _fault: &Fault, _target: &Target) -> Support {
        Support::yes("note")
    }

    async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        _mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        let id = format!("note-{}-{}", std::process::id(), target.service);
        Ok(Prepared::new(RevertRecord::new(id, "note", &target.service), "note", format!("{fault}, noted")))
    }

    async fn inject(&self, _prepared: &Prepared) -> Result<(), InjectError> {
        self.set(true);
        self.say("in");
        Ok(())
    }

    async fn observe(&self, _record: &RevertRecord) -> Result<Presence, ObserveError> {
        let there = *self.there.lock().expect("nobody panics while holding it");
        Ok(Presence::of(Dose::new(1.0, f64::from(u8::from(there)))))
    }

    async fn revert(&self, _record: &RevertRecord) -> Result<(), RevertError> {
        if self.set(false) {
            self.say("out");
        }
        Ok(())
    }
}
