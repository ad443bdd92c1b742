use std::path::{Path, PathBuf};

use chaos_test::__cli as files;
use similar::TextDiff;

use crate::exit::Stop;
use crate::output;

/// More than this is no file that people write.
const MOST: u64 = 4 << 20;

/// A file as it is and as it is to be.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) path: PathBuf,
    before: Option<String>,
    after: String,
}

/// What is to be done, and what was found to be there already.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) changes: Vec<Change>,
    /// For people: what stays as it is, what could not be seen.
    pub(super) notes: Vec<String>,
}

impl Changes {
    /// A file of ours: written where there is none. One that differs is somebody's work and stays.
    pub(super) fn create(&mut self, path: PathBuf, text: String) -> Result<(), Stop> {
        match read(&path)? {
            None => self.changes.push(Change { path, before: None, after: text }),
            Some(there) if there == text => {}
            Some(_) => self.notes.push(format!("{} is there and stays as it is", output::name(&path))),
        }
        Ok(())
    }

    /// A file to which something is added; `change` says what comes of it, or nothing if all is there.
    pub(super) fn extend(
        &mut self,
        path: PathBuf,
        change: impl FnOnce(&str) -> Result<Option<String>, String>,
    ) -> Result<(), Stop> {
        let before = read(&path)?;
        let after = change(before.as_deref().unwrap_or_default())
            .map_err(|reason| Stop::usage(format!("{} {reason}", output::name(&path))))?;
        // Its lines end as they did: what edits TOML ends all of them with `\n`.
        let is_crlf = before.as_deref().is_some_and(|before| {
            before.contains("\r\n") && before.matches('\n').count() == before.matches("\r\n").count()
        });
        let as_before = |after: String| match is_crlf {
            true => after.replace("\r\n", "\n").replace('\n', "\r\n"),
            false => after,
        };
        let after = after.map(as_before);
        let is_new = |after: &String| before.as_ref() != Some(after);
        if let Some(after) = after.filter(is_new) {
            self.changes.push(Change { path, before, after });
        }
        Ok(())
    }

    /// Every change as a unified diff, paths as seen from `base`.
    pub(super) fn diff(&self, base: &Path) -> String {
        self.changes.iter().map(|change| change.diff(base)).collect()
    }

    /// Writes all of them; each file is the old one or the new one, whole.
    pub(super) fn write(&self) -> Result<(), Stop> {
        for (n, change) in self.changes.iter().enumerate() {
            // A link stays one: what it leads to is changed.
            let place = files::real(&change.path).unwrap_or_else(|_| change.path.clone());
            files::write(&place, change.after.as_bytes()).map_err(|error| {
                let done: Vec<String> =
                    self.changes[..n].iter().map(|change| output::name(&change.path)).collect();
                let done =
                    if done.is_empty() { "nothing was written".into() } else { done.join(", ") + " written" };
                Stop::usage(format!(
                    "cannot write {}: {error} ({done}); mend that, and call it again",
                    output::name(&change.path)
                ))
            })?;
        }
        Ok(())
    }
}

impl Change {
    fn diff(&self, base: &Path) -> String {
        let shown = output::name(self.path.strip_prefix(base).unwrap_or(&self.path));
        let (old, before) = match &self.before {
            Some(before) => (format!("a/{shown}"), before.as_str()),
            None => ("/dev/null".to_owned(), ""),
        };
        let diff = TextDiff::from_lines(before, &self.after);
        diff.unified_diff().header(&old, &format!("b/{shown}")).to_string()
    }
}

/// The text of a file, if there is one.
pub(super) fn read(path: &Path) -> Result<Option<String>, Stop> {
    if !files::is_file(path) {
        return Ok(None);
    }
    let unusable = |why: String| Stop::usage(format!("{}: {why}", output::name(path)));
    let bytes = files::read_at_most(path, MOST).map_err(unusable)?;
    String::from_utf8(bytes).map(Some).map_err(|_| unusable("it is not UTF-8; save it as such".into()))
}
