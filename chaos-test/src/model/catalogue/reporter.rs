use super::diagnostic::{Diagnostic, Diagnostics, Excerpt};
use super::node::Span;

/// Mistakes kept per file; more are counted. Enough for any file that people write.
const KEPT: usize = 200;
/// The longest piece of a source line shown, in characters.
const WIDEST: usize = 110;

/// Collects the mistakes found in one file and shows each in its source line.
#[derive(Debug)]
pub(super) struct Reporter<'a> {
    file: &'a str,
    text: &'a str,
    /// Byte offset of each line's start.
    starts: Vec<u32>,
    found: Vec<Diagnostic>,
    dropped: usize,
}

impl<'a> Reporter<'a> {
    /// For a file of at most 4 GiB.
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let breaks = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let starts = std::iter::once(0).chain(breaks.map(|(at, _)| at as u32 + 1)).collect();
        Self { file, text, starts, found: Vec::new(), dropped: 0 }
    }

    /// Notes one mistake.
    pub(super) fn report(&mut self, at: Span, message: impl Into<String>, help: impl Into<Option<String>>) {
        if self.is_full() {
            self.dropped += 1;
            return;
        }
        self.found.push(Diagnostic {
            file: self.file.to_owned(),
            line: at.line.max(1),
            column: at.column.max(1),
            message: message.into(),
            help: help.into(),
            excerpt: self.excerpt(at),
        });
    }

    /// Whether further mistakes are only counted: their messages need not be worked out.
    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= KEPT
    }

    /// `Ok` when nothing was reported.
    pub(super) fn finish(self) -> Result<(), Diagnostics> {
        if self.found.is_empty() { Ok(()) } else { Err(Diagnostics::new(self.found, self.dropped)) }
    }

    fn excerpt(&self, at: Span) -> Option<Excerpt> {
        let index = at.line.checked_sub(1)? as usize;
        let start = *self.starts.get(index)? as usize;
        let end = self.starts.get(index + 1).map_or(self.text.len(), |next| *next as usize);
        let line = self.text.get(start..end)?.trim_end_matches(['\n', '\r']);

        // A line of a megabyte is shown as the part around the mistake.
        let column = at.column.saturating_sub(1) as usize;
        let skipped = if column + 30 > WIDEST { column - WIDEST / 2 } else { 0 };
        let shown = line.chars().skip(skipped).take(WIDEST);
        let text: String = shown
            .map(|c| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c })
            .collect();
        let text = text.trim_end().to_owned();
        if text.is_empty() {
            return None;
        }
        let length = text.chars().count();
        let offset = (column - skipped).min(length);
        let width = (at.length as usize).clamp(1, length.saturating_sub(offset).max(1));
        Some(Excerpt { text, offset, width })
    }
}
