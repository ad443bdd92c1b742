//! The attribute `#[chaos_test]` of the crate `chaos-test`, which re-exports it: use that crate.
//!
//! The macro is thin: it parses, checks names against the catalogue, and emits a few lines per test that call
//! `chaos_test::__private`. All of it are functions over `proc_macro2` tokens, tested without a compiler by the
//! files in `golden/`. Only `locate` looks at the disk and the environment.

mod attribute;
mod entry;
mod errors;
mod expand;
mod function;
mod locate;
mod names;
mod place;
mod select;
mod shape;
mod signature;
mod slug;
mod suggest;

use proc_macro::TokenStream;

/// Makes chaos tests of an async function: one test per scenario.
///
/// ```text
/// use chaos_test::prelude::*;
///
/// async fn shop() -> Result<Environment, Error> { /* … */ }
///
/// #[chaos_test(
///     scenarios = ["Medium CPU Stress", "Medium Network Delay"],
///     slo = "staging",
///     environment = shop,
///     repeat = "20/s"
/// )]
/// async fn a_customer_can_check_out(chaos: Chaos) -> anyhow::Result<()> {
///     chaos.client("app").post("/orders").body("1 x tea").send().await?.error_for_status()?;
///     Ok(())
/// }
/// ```
///
/// The tests stand in a module named like the function, each named by its scenario:
/// `a_customer_can_check_out::medium_cpu_stress`. So `cargo nextest run medium_cpu_stress` runs one scenario of
/// all functions, and `cargo nextest run a_customer_can_check_out::` all scenarios of one.
///
/// # Keys
///
/// What goes wrong: exactly one of
///
/// | key | value |
/// |---|---|
/// | `scenario` | one scenario of the catalogue, by name: `"Medium CPU Stress"` |
/// | `scenarios` | several: `["Medium CPU Stress", "Medium Network Delay"]` |
/// | `group` | all scenarios of a group: `"smoke_test"`, or short `"smoke"` |
///
/// And as needed
///
/// | key | value | without it |
/// |---|---|---|
/// | `slo` | the SLO profile, an environment of the catalogue: `"staging"`; also `"dev"`, `"prod"`, `"default"` | the catalogue's `slo_targets` |
/// | `objectives(…)` | bounds that override the profile's: `max_error_rate_percent`, `min_availability_percent`, `max_latency_degradation_ms`, `mttr_seconds`, `max_recovery_time_seconds`, `max_latency_p50_ms`, `max_latency_p95_ms`, `max_latency_p99_ms`, `min_throughput_per_second` | the profile's |
/// | `environment` | path of an `async fn() -> Result<E>` that starts the services under test | none |
/// | `target` | a URL that is already running: `"http://127.0.0.1:8000"`; not with `environment` | none |
/// | `repeat` | the body is a transaction, run at this rate through all phases: `"20/s"`, `"90/min"` | the body runs once, under the fault |
/// | `duration` | how long the chaos phase lasts, a day at most: `"500ms"`, `"10s"`, `"1.5m"` | the scenario's |
/// | `baseline` | how long is measured before the fault | a third of the duration, 2 s to 4 s (10 s with `sequential = false`), and at least 25 transactions |
/// | `inconclusive` | whether a test that could not decide is a `"pass"` or a `"fail"`, or has its chaos phase made longer, up to three times, where that could tell: `"extend"` | `"fail"` |
/// | `sequential` | whether the chaos phase ends as soon as the evidence suffices | `true` |
/// | `dry_run` | alone or `true`: measure the baseline, tell the plan, inject nothing | `false` |
/// | `flavor` | the tokio runtime: `"multi_thread"` or `"current_thread"` | `"current_thread"` |
/// | `catalogue` | the file with the repository's own scenarios, relative to the package | searched for, see below |
/// | `crate` | path of the crate `chaos-test`, for those who re-export it | `::chaos_test` |
///
/// # Arguments and return type
///
/// The function takes, in any order, `Chaos` or `&Chaos`, and what `environment` returns as `&E` or `Arc<E>`; at
/// most one of each. It returns nothing or anything that the library can take as an outcome, such as a `Result`.
///
/// # Catalogue
///
/// Names are checked when the test is compiled: against the built-in catalogue, extended by the repository's own,
/// which is the first found of the key `catalogue`, the file named by the variable `CHAOS_TEST_CATALOGUE`, then
/// `chaos_scenarios.yml` and `scenarios/chaos_scenarios.yml` in the package, then both in the workspace. A changed
/// catalogue rebuilds the tests that use it. A file that is *new* does not, and the test then fails and says so; touch
/// the test, or let a `build.rs` print `cargo::rerun-if-changed=chaos_scenarios.yml`.
///
/// # Other attributes
///
/// `doc`, `cfg`, `instrument` and lint levels stay on the function; all others go to every test: `ignore`,
/// `should_panic(expected = "…")` (bare, it is an error: it would be green for a service that does not start), `serial`,
/// … Put `#[chaos_test]` above other test attributes. With a runtime's attribute below
/// (`#[tokio::test(flavor = "multi_thread")]`) that runtime runs the test. With `#[rstest]` below, arguments that
/// have attributes of their own (`#[case]`, `#[values]`) are rstest's, and every scenario meets every case; such
/// arguments are cloned for every run of the body, and each case has a record of its own:
///
/// ```text
/// #[chaos_test(scenarios = ["Medium Network Delay", "Light CPU Stress"], environment = shop)]
/// #[rstest]
/// #[case::tea("tea")]
/// #[case::coffee("coffee")]
/// async fn drinks_can_be_ordered(#[case] drink: &str, chaos: Chaos) -> anyhow::Result<()> { /* … */ }
/// ```
#[proc_macro_attribute]
pub fn chaos_test(attr: TokenStream, item: TokenStream) -> TokenStream {
    let site = locate::Site::of_the_compiler(proc_macro::Span::call_site().local_file());
    match expand::expand(attr.into(), item.into(), &site) {
        Ok(tests) => tests.into(),
        Err(failed) => {
            let mut tokens = failed.original;
            tokens.extend(failed.error.into_compile_error());
            tokens.into()
        }
    }
}
