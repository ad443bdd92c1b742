use std::path::{Path, PathBuf};

use chaos_test::__cli as files;
use chaos_test::report::{Difference, Verification};

use crate::exit::{Exit, Stop};
use crate::{output, records};

/// Judges records again from their samples, and says where they say otherwise.
///
/// Every record holds all that was observed. This works its judgement out anew, by the rules of the
/// record's format, and compares all of it: verdict, reasons, every evaluation, figures, findings.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, verbatim_doc_comment)]
pub(crate) struct Args {
    /// Records, run folders, or folders of run folders (of which the newest run counts)
    /// [default: $CHAOS_TEST_DIR, else target/chaos-test]
    #[arg(value_name = "RECORD", verbatim_doc_comment)]
    records: Vec<PathBuf>,

    /// Verify every run below a folder of run folders, not only the newest
    #[arg(long)]
    all: bool,

    /// Tell only what is wrong
    #[arg(long, short)]
    quiet: bool,
}

const HELP: &str = "\
Numbers are the same that differ by a billionth at most, and above 1 by a billionth of themselves. A
record that is not in the file it names itself is told as well: somebody may have put it in another test's
place.

Exit codes:
  0  every record says what its samples come to
  2  wrong usage, or an output that cannot be written
  3  some records could not be read; the others were verified
  4  no records were found
  6  a record says something else than its samples come to (also when 3 applies)

Examples:
  cargo chaos verify                              the newest run
  cargo chaos verify artifacts --all --quiet      every run below, only what is wrong
  cargo chaos verify target/chaos-test/*/shop__checkout__survives.json";

/// Of one record this many differences are told; what follows from them is seldom news.
const MOST: usize = 20;

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let found = records::find(&args.records, args.all, "RECORD")?;
    if found.files.is_empty() {
        return Err(records::none_in(&[found.home], "RECORD"));
    }
    if !args.quiet {
        found.chosen.iter().for_each(|chosen| output::tell(&format!("note: {chosen}")));
    }
    let (mut same, mut different, mut unreadable) = (0_u32, 0_u32, 0_u32);
    for file in &found.files {
        let name = output::name(file);
        match verify(file) {
            Ok(None) => {}
            Ok(Some(Verified { label, differences })) if differences.is_empty() => {
                same += 1;
                if !args.quiet {
                    output::print(&format!("same       {label}  {name}\n"))?;
                }
            }
            Ok(Some(Verified { label, differences })) => {
                different += 1;
                output::print(&format!("different  {label}  {name}\n{}", told(&differences)))?;
            }
            Err(reason) => {
                unreadable += 1;
                output::tell(&format!("error: {name} is not verified: {reason}"));
            }
        }
    }
    if same + different + unreadable == 0 {
        return Err(records::none_in(&[found.home], "RECORD"));
    }
    for place in &found.empty {
        unreadable += 1;
        output::tell(&format!("error: {} is not verified: there is no record in it", output::name(place)));
    }
    if unreadable > 0 {
        output::tell(
            "help: remove a file that is no record; for a damaged record, run its test again (exit code 3)",
        );
    }
    if different > 0 {
        output::tell(
            "help: a record that says something else than its samples come to was changed after its run, or judged by \
             another version of the same format; run its test again (exit code 6)",
        );
    }
    if !args.quiet {
        output::print(&(sentence(same, different, unreadable) + "\n"))?;
    }
    Ok(match (different, unreadable) {
        (0, 0) => Exit::Done,
        (0, _) => Exit::Unreadable,
        _ => Exit::Different,
    })
}

/// What came of one record.
struct Verified {
    label: String,
    differences: Vec<Difference>,
}

/// Verifies a record; `None` for a file of ours that is no record.
fn verify(file: &Path) -> Result<Option<Verified>, String> {
    let bytes = files::read(file)?;
    let verification = match Verification::of_json(&bytes) {
        Ok(verification) => verification,
        Err(_) if records::is_of_ours(&bytes) => return Ok(None),
        Err(reason) => return Err(reason),
    };
    let Verification { report, mut differences, .. } = verification;
    differences.extend(elsewhere(file, report.path.as_deref()));
    let mut label = output::plain(&report.judgement.label());
    if report.format_version != chaos_test::report::FORMAT_VERSION {
        label += &format!(" (format {})", report.format_version);
    }
    Ok(Some(Verified { label, differences }))
}

/// The path in the record, if it is that of another file. Its folder may be another: records are carried about.
fn elsewhere(file: &Path, told: Option<&str>) -> Option<Difference> {
    let told = told?;
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let (stored, actual) = (name(Path::new(told)), name(file));
    (stored != actual).then(|| Difference {
        field: "path".into(),
        stored: Some(told.to_owned()),
        recomputed: actual,
    })
}

fn told(differences: &[Difference]) -> String {
    let or_nothing = |value: &Option<String>| output::plain(value.as_deref().unwrap_or("nothing"));
    let mut out = String::new();
    for difference in differences.iter().take(MOST) {
        let field =
            if difference.field.is_empty() { "judgement".into() } else { output::plain(&difference.field) };
        let (stored, recomputed) = (or_nothing(&difference.stored), or_nothing(&difference.recomputed));
        out += &match field.as_str() {
            "path" => format!("    path: the record says {stored}, and the file is {recomputed}\n"),
            _ => format!("    {field}: the record says {stored}, its samples come to {recomputed}\n"),
        };
    }
    match differences.len().saturating_sub(MOST) {
        0 => out,
        more => out + &format!("    and {more} more\n"),
    }
}

/// `12 records: 11 the same, 1 different`.
fn sentence(same: u32, different: u32, unreadable: u32) -> String {
    let total = same + different + unreadable;
    let mut parts = vec![format!("{same} the same")];
    parts.extend((different > 0).then(|| format!("{different} different")));
    parts.extend((unreadable > 0).then(|| format!("{unreadable} could not be read")));
    format!("{total} {}: {}", if total == 1 { "record" } else { "records" }, parts.join(", "))
}
