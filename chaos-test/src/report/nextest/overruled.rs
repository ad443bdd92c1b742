use std::collections::HashMap;

use quick_junit::TestCase;

use super::{NextestJunit, failed, said, told, why};
use crate::report::{Entry, render};
use crate::slo::Verdict;

impl NextestJunit {
    /// Makes an Error of every test whose record passed and that failed by nextest's account: what failed it happened after
    /// the record was written, or in a part of the test that has no record.
    ///
    /// Of several records of one test (tries) the last one counts. A test that ran several experiments (` (2)`) failed
    /// because of one of those, if one did not pass.
    pub(in crate::report) fn overrule(&self, entries: &mut [Entry]) {
        let mut of_test: HashMap<(String, String), Vec<usize>> = HashMap::new();
        for (n, entry) in entries.iter().enumerate().filter(|(_, entry)| self.has(entry)) {
            let test = render::line(&entry.test);
            let key = (render::line(&entry.binary), without_number(&test).to_owned());
            of_test.entry(key).or_default().push(n);
        }
        for suite in &self.0.test_suites {
            for case in suite.test_cases.iter().filter(|case| failed(case)) {
                let key = (suite.name.to_string(), case.name.to_string());
                let last = of_test.get(&key).map_or_else(Vec::new, |these| last_tries(entries, these));
                if !last.iter().all(|&n| entries[n].passed) {
                    continue;
                }
                for n in last {
                    if *case.name == *render::line(&entries[n].test) {
                        overrule(&mut entries[n], case);
                    }
                }
            }
        }
    }
}

/// A test's name without the ` (2)` that its second experiment has.
fn without_number(test: &str) -> &str {
    let numbered = test.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
    match numbered {
        Some((name, number)) if number.parse::<u32>().is_ok() => name,
        _ => test,
    }
}

/// Of those entries the ones of each test's last try; copies of one record are all of them.
fn last_tries(entries: &[Entry], these: &[usize]) -> Vec<usize> {
    let mut last: HashMap<&str, f64> = HashMap::new();
    for &n in these {
        let at = last.entry(&entries[n].test).or_insert(f64::NEG_INFINITY);
        *at = at.max(entries[n].started_at);
    }
    let is_last = |n: &usize| entries[*n].started_at >= last[&*entries[*n].test];
    these.iter().copied().filter(is_last).collect()
}

fn overrule(entry: &mut Entry, case: &TestCase) {
    let recorded = std::mem::replace(&mut entry.label, "Error(failed beside its record)".into());
    let (ty, message) = told(case);
    let why = why(ty, message);
    let reason = format!("its record says {recorded}, but the test failed: {why}");
    entry.verdict = Verdict::Error;
    entry.passed = false;
    entry.headline = format!("{} under \"{}\": {reason}", entry.label, entry.scenario);
    let told = said(case).unwrap_or(why);
    entry.text = format!("{}\n\n{}", render::text_of_no_record(entry, &told), entry.text);
    entry.markdown = render::markdown_of_no_record(entry) + &entry.markdown;
    entry.reason = Some(reason);
}

#[cfg(test)]
mod tests {
    use super::without_number;

    #[test]
    fn experiments_of_one_test_are_known_by_their_number() {
        for (test, whole) in [
            ("shop::survives", "shop::survives"),
            ("shop::survives (2)", "shop::survives"),
            ("shop::survives (two)", "shop::survives (two)"),
            ("shop::survives()", "shop::survives()"),
            (" (3)", ""),
        ] {
            assert_eq!(without_number(test), whole);
        }
    }
}
