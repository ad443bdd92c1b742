use std::collections::{HashMap, HashSet};

use quick_junit::TestCase;

use super::{NextestJunit, SETUP, failed, said, told, why};
use crate::model::{Catalogue, Scenario, slug};
use crate::report::{Entry, render};
use crate::slo::Verdict;

impl NextestJunit {
    /// The chaos tests that failed and of which there is no record among those, as entries of verdict Error.
    ///
    /// A chaos test is known by its binary, if that left a record, or by its name, if a part of it is a scenario's.
    pub fn without_record(&self, records: &[Entry]) -> Vec<Entry> {
        let catalogue = Catalogue::builtin();
        let mut scenarios: HashMap<String, &str> =
            records.iter().map(|entry| (slug(&entry.scenario), entry.scenario.as_str())).collect();
        scenarios
            .extend(catalogue.scenarios().iter().map(|scenario| (slug(&scenario.name), &*scenario.name)));
        let ours: Vec<&Entry> = records.iter().filter(|entry| self.has(entry)).collect();
        let binaries: HashSet<String> = ours.iter().map(|entry| render::line(&entry.binary)).collect();
        let known: HashSet<(String, String)> =
            ours.iter().map(|entry| (render::line(&entry.binary), render::line(&entry.test))).collect();

        let mut missing = Vec::new();
        for suite in self.0.test_suites.iter().filter(|suite| !suite.name.starts_with(SETUP)) {
            for case in &suite.test_cases {
                if !failed(case) || known.contains(&(suite.name.to_string(), case.name.to_string())) {
                    continue;
                }
                let scenario = case.name.split("::").find_map(|part| scenarios.get(part).copied());
                if *suite.name != *render::RECORDS && (scenario.is_some() || binaries.contains(&*suite.name))
                {
                    let known = scenario.and_then(|name| catalogue.scenario(name).ok());
                    missing.push(self.entry(&suite.name, case, scenario, known));
                }
            }
        }
        missing
    }

    fn entry(&self, binary: &str, case: &TestCase, name: Option<&str>, scenario: Option<&Scenario>) -> Entry {
        let (ty, message) = told(case);
        let why = why(ty, message);
        let reason = format!("the test left no record: {why}");
        let under = name.map_or_else(String::new, |name| format!(" under \"{name}\""));
        let said = said(case).unwrap_or(why);
        let mut entry = Entry {
            test: case.name.to_string(),
            binary: binary.to_owned(),
            run_id: self.0.uuid.map(|uuid| uuid.to_string()).unwrap_or_default(),
            started_at: case.timestamp.map_or(0.0, |at| at.timestamp_millis() as f64 / 1e3),
            took_seconds: case.time.unwrap_or_default().as_secs_f64(),
            scenario: name.unwrap_or_default().to_owned(),
            fault: scenario.map(|scenario| scenario.fault.kind().name().to_owned()).unwrap_or_default(),
            intensity: scenario.map(|scenario| scenario.intensity.name().to_owned()).unwrap_or_default(),
            target: None,
            slo: String::new(),
            verdict: Verdict::Error,
            label: "Error(no record)".into(),
            passed: false,
            headline: format!("Error(no record){under}: {reason}"),
            reason: Some(reason),
            objectives: Vec::new(),
            streams: Vec::new(),
            dose: None,
            recommendations: Vec::new(),
            rerun: format!("cargo nextest run -E 'binary_id(={binary}) & test(={})'", case.name.as_str()),
            record: None,
            allowed: None,
            violations: Vec::new(),
            warnings: Vec::new(),
            text: String::new(),
            markdown: String::new(),
        };
        entry.text = render::text_of_no_record(&entry, &said);
        entry.markdown = render::markdown_of_no_record(&entry);
        entry
    }
}
