//! Whatever a run may hold: what excusing does, and what it never does.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A run in which some samples are bent and some windows are late.
fn bent() -> impl Strategy<Value = Trace> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Good),
        2 => Just(Outcome::Timeout),
        1 => Just(Outcome::Dropped),
        1 => Just(Outcome::ConnectError)
    ];
    let spell = (0_usize..1000, 0_usize..300, 0_u64..1500, 0_u64..40, outcome);
    let window = (0_u64..250, 0_u16..100, any::<bool>());
    (vec(spell, 0..4), vec(window, 84), any::<bool>(), 0_u32..3).prop_map(
        |(spells, windows, is_fault, quiet)| {
            let mut trace = trace(|at| good(at, ms(8)), |_| Duration::ZERO);
            for (from, length, latency, lag, outcome) in spells {
                for sample in trace.streams[0].samples.iter_mut().skip(from).take(length) {
                    *sample = Sample { lag: ms(lag), latency: ms(latency + lag), outcome, ..*sample };
                }
            }
            for (window, (lag, steal, known)) in trace.noise.iter_mut().zip(windows) {
                // Two of three hosts are quiet at times.
                window.lag = if quiet > 0 && lag % 3 > 0 { Duration::ZERO } else { ms(lag) };
                window.steal = known.then_some(f64::from(steal) / 300.0);
            }
            trace.noise_is_fault = is_fault;
            trace
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Noise after the baseline only ever turns a Fail into an Inconclusive, in every single evaluation.
    #[test]
    fn excusing_makes_no_verdict_worse(trace in bent()) {
        let deaf = judged(&Trace { noise: Vec::new(), ..trace.clone() });
        let heard = judged(&trace);
        prop_assert_eq!(deaf.evaluations.len(), heard.evaluations.len());
        for (deaf, heard) in deaf.evaluations.iter().zip(&heard.evaluations) {
            if deaf.verdict == heard.verdict {
                prop_assert_eq!(deaf.verdict == Verdict::Fail, heard.reason.is_none() && heard.verdict == Verdict::Fail);
                continue;
            }
            prop_assert_eq!((deaf.verdict, heard.verdict), (Verdict::Fail, Verdict::Inconclusive));
            let told = matches!(heard.reason, Some(Reason::NoisyHost { .. }));
            prop_assert!(told);
            prop_assert_eq!(&Evaluation { verdict: deaf.verdict, reason: None, ..heard.clone() }, deaf);
        }
        prop_assert!(heard.verdict <= Verdict::Inconclusive || deaf.verdict == Verdict::Fail);
    }

    #[test]
    fn without_noise_nothing_changes(trace in bent(), lag in 0_u64..=2) {
        let mut still = trace;
        still.streams[0].samples.iter_mut().for_each(|sample| sample.lag = Duration::ZERO);
        let deaf = judged(&Trace { noise: Vec::new(), ..still.clone() });
        for window in &mut still.noise {
            *window = NoiseWindow { lag: ms(lag), steal: Some(0.02), ..*window };
        }
        prop_assert_eq!(judged(&still), deaf);
    }

    /// The more the host took, the less is left to fail.
    #[test]
    fn more_noise_excuses_more(trace in bent(), more in 0_u64..250) {
        let host = Host::of(&trace);
        let mut louder = trace.clone();
        louder.noise.iter_mut().for_each(|window| window.lag = window.lag.saturating_add(ms(more)));
        let loud = Host::of(&louder);
        for sample in &trace.streams[0].samples {
            prop_assert!(host.taken(sample, ms(1_000), true) <= loud.taken(sample, ms(1_000), true));
        }
    }

    /// A service all of whose answers take a second longer, twice what is allowed, fails on a host that is as late as one
    /// with a hog on every processor.
    #[test]
    fn twice_over_the_limit_fails(lags in vec(0_u64..=49, 84)) {
        let weak = |at| good(at, if chaos(at) { ms(1_008) } else { ms(8) });
        let busy = trace(weak, |at| ms(lags[(at.as_millis() / 250) as usize]));
        prop_assert_eq!(judged(&busy).label(), "Fail");
    }
}
