use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::legible::legible;
use super::test;
use crate::model::slug;
use crate::report::{Entry, Report};
use crate::slo::Verdict;

/// What a page shows of tests beyond their entries: collected while the records are read, one at a time.
///
/// Of many tests only so many are kept, those that did not pass before those that passed; so the size of a page is
/// bounded, and so is what is held meanwhile.
///
/// ```
/// use chaos_test::report::render::{HtmlDetails, html};
/// use chaos_test::report::{Merge, Report};
///
/// fn page(records: impl Iterator<Item = Report>, now: f64) -> String {
///     let (mut merge, mut details) = (Merge::default(), HtmlDetails::default());
///     for report in records {
///         merge.add(&report);
///         details.add(&report);
///     }
///     html(&merge.finish(), &details, now)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct HtmlDetails {
    most: usize,
    kept: BTreeMap<Key, Kept>,
}

/// A test of a run.
type Key = (String, String, String);

#[derive(Debug, Clone)]
struct Kept {
    started_at: f64,
    passed: bool,
    verdict: Verdict,
    markup: String,
}

impl Kept {
    /// What is kept longest comes last: what did not pass, the worst verdict first, then by name.
    fn weight<'k>(&self, key: &'k Key) -> (bool, Verdict, Reverse<&'k Key>) {
        (!self.passed, self.verdict, Reverse(key))
    }
}

impl Default for HtmlDetails {
    fn default() -> Self {
        Self::new(Self::MOST)
    }
}

impl HtmlDetails {
    /// So many tests have their details on a page, unless another number is asked for.
    pub const MOST: usize = 250;

    /// Details of so many tests at most.
    pub fn new(most: usize) -> Self {
        Self { most, kept: BTreeMap::new() }
    }

    /// Takes what a page shows of a report. Of several reports of one test in one run the last one is shown.
    pub fn add(&mut self, report: &Report) {
        let key = (report.run_id.clone(), report.binary.clone(), report.test.clone());
        // As a summary takes it: of two that began at one time, the first one met.
        let known = self.kept.get(&key);
        if known.is_some_and(|known| known.started_at.total_cmp(&report.started_at).is_ge()) {
            return;
        }
        let new = known.is_none();
        let mut kept = Kept {
            started_at: report.started_at,
            passed: report.passed(),
            verdict: report.verdict(),
            markup: String::new(),
        };
        if new && self.kept.len() >= self.most {
            let least = self.kept.iter().min_by_key(|(key, kept)| kept.weight(key));
            match least.map(|(key, kept)| (key.clone(), kept)) {
                Some((other, least)) if least.weight(&other) < kept.weight(&key) => {
                    self.kept.remove(&other);
                }
                _ => return,
            }
        }
        kept.markup = legible(test::from_record(report, &id(&key.0, &key.1, &key.2)).into_string());
        self.kept.insert(key, kept);
    }

    /// What there is of the try that counts.
    pub(super) fn of(&self, entry: &Entry) -> Option<&str> {
        let key = (entry.run_id.clone(), entry.binary.clone(), entry.test.clone());
        let kept = self.kept.get(&key)?;
        (kept.started_at.to_bits() == entry.started_at.to_bits()).then_some(kept.markup.as_str())
    }
}

/// What a test is called in the page's address; two tests never share one.
pub(super) fn id_of(entry: &Entry) -> String {
    id(&entry.run_id, &entry.binary, &entry.test)
}

fn id(run: &str, binary: &str, test: &str) -> String {
    let letters = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let name: String = slug(test).chars().filter(letters).take(60).collect();
    // FNV-1a, with a byte between the parts that is in none of them.
    let bytes = [run, binary, test].into_iter().flat_map(|part| part.bytes().chain([0xff]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("test-{name}-{hash:016x}")
}
