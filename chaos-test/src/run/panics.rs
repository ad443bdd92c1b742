//! Keeping the panics of a test body out of the test's output.
//!
//! CI systems show the first failure line they find, and a panic's own line (`thread 'x' panicked at …`) would hide
//! the sentence that says what the run came to. A body's panic is caught, kept and told in the report instead.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::pin::Pin;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use super::LocalFuture;
use crate::sys::env;

thread_local! {
    static IN_BODY: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// How many experiments of this process are running.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// While this lives, panics are sorted: a body's are kept, others are told in a form that CI does not take for the
/// failure, where every panic of this process belongs to one test.
pub(super) struct Sorting;

impl Sorting {
    pub(super) fn begin() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = panic::take_hook();
            let alone = env::var("NEXTEST").is_some();
            panic::set_hook(Box::new(move |info| {
                if IN_BODY.get() {
                    LAST.set(Some(describe(info)));
                } else if alone && RUNNING.load(Ordering::Acquire) > 0 {
                    let thread = std::thread::current();
                    eprintln!(
                        "note: a panic in thread {}, at {}",
                        thread.name().unwrap_or("without a name"),
                        describe(info)
                    );
                } else {
                    before(info);
                }
            }));
        });
        RUNNING.fetch_add(1, Ordering::AcqRel);
        Self
    }
}

impl Drop for Sorting {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::AcqRel);
    }
}

/// `tests/checkout.rs:12:5: assertion failed: …`
fn describe(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let message = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".into());
    match info.location() {
        Some(location) => format!("{location}: {message}"),
        None => message,
    }
}

/// Runs other people's code that catches its own panics: what comes of it, and the text of its last panic.
pub(super) fn kept<T>(work: impl FnOnce() -> T) -> (T, String) {
    let outer = IN_BODY.replace(true);
    let done = work();
    IN_BODY.set(outer);
    (done, LAST.take().unwrap_or_else(|| "a panic without a text".into()))
}

/// A body whose panic becomes its output. One that panics while it is dropped, before its end, is dropped all the same.
pub(super) struct Guarded<T>(Option<LocalFuture<T>>);

impl<T> Guarded<T> {
    pub(super) fn new(body: LocalFuture<T>) -> Self {
        Self(Some(body))
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        let body = self.0.take();
        let _ = kept(|| panic::catch_unwind(AssertUnwindSafe(|| drop(body))));
    }
}

impl<T> Future for Guarded<T> {
    type Output = Result<T, String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // It is there until this is dropped.
        let Some(body) = &mut self.0 else { return Poll::Pending };
        let outer = IN_BODY.replace(true);
        let polled = panic::catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(context)));
        IN_BODY.set(outer);
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(_) => Poll::Ready(Err(LAST.take().unwrap_or_else(|| "a panic without a text".into()))),
        }
    }
}
